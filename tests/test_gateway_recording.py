"""What `kspy tap --gateway` records of real servers: messages byte for byte, clients, events."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from functools import partial

import pytest
from gateways import CODE, Channels, Client, Server, running_server, tapping_gateway
from tapping import HERE, short_folder, wait_for

import kspy
from kspy.wire.message import Message
from kspy.wire.websocket import V1

COMPRESSED = "--ServerApp.websocket_compression_options={}"


both_kinds = pytest.mark.parametrize("server", ["server", "gateway"], indirect=True)
one_kind = pytest.mark.parametrize("server", ["server"], indirect=True)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    options = [COMPRESSED] if request.param == "server" else []
    with (
        short_folder() as folder,
        running_server(folder, kind=request.param, options=options) as found,
    ):
        yield found


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with short_folder() as folder, tapping_gateway(folder, server.url) as tap:
        yield Client(tap.url, server.token, tap)


def payloads(messages: list[Message], direction: str, client: int) -> list[bytes]:
    return [
        message.frames[0]
        for message in messages
        if message.direction == direction and message.client == client
    ]


def comm_message(client: Client, direction: str) -> Message | None:
    found = [one for one in client.tap.messages() if one.msg_type == "comm_msg"]
    return next((one for one in found if one.direction == direction), None)


def wait_closed(client: Client, count: int = 1) -> None:
    client.tap.wait_event("client_disconnected", count)


@both_kinds
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("v1", [False, True], ids=["default", "v1"])
def test_every_payload_is_recorded_as_client_and_server_sent_it(
    client: Client, server: Server, v1: bool, compressed: bool
) -> None:
    async def converse() -> Channels:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id, v1=v1, compressed=compressed) as channels:
            assert await channels.run() == "Hello world!\n"
        await client.ask("DELETE", f"/api/kernels/{kernel_id}")
        return channels

    channels = asyncio.run(converse())
    wait_closed(client)
    connected = client.tap.wait_event("client_connected")
    wait_for(lambda: len(client.tap.messages()) >= len(channels.received) + 1, "the messages")
    messages = client.tap.messages()
    assert payloads(messages, "to_kernel", 1) == channels.sent
    recorded = payloads(messages, "to_client", 1)
    # What came after the client stopped reading passed as well.
    assert recorded[: len(channels.received)] == channels.received
    assert {message.encoding for message in messages} == {"v1" if v1 else "json"}
    assert connected.data["subprotocol"] == (V1 if v1 else "")
    squeezed = compressed and "server" in server.process.log.name
    assert connected.data["extensions"].startswith("permessage-deflate" if squeezed else "")
    assert bool(connected.data["extensions"]) == squeezed
    (request,) = (message for message in messages if message.msg_type == "execute_request")
    assert (request.channel, request.content["code"]) == ("shell", CODE)
    (stream,) = (message for message in messages if message.msg_type == "stream")
    assert (stream.channel, stream.direction) == ("iopub", "to_client")
    assert stream.parent_id == request.msg_id
    assert request.time_ns < stream.time_ns
    assert not any(message.flags for message in messages)


@both_kinds
@pytest.mark.parametrize("v1", [False, True], ids=["default", "v1"])
def test_buffers_both_ways(client: Client, v1: bool) -> None:
    buffers = [b"", bytes(range(256)) * 4096, b"\x00\xff"]
    code = (
        "def echo(comm, message):\n"
        "    comm.on_msg(lambda m: comm.send({'n': 1}, buffers=m['buffers']))\n"
        "get_ipython().kernel.comm_manager.register_target('echo', echo)"
    )

    async def converse() -> list[bytes]:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id, v1=v1) as channels:
            await channels.run(code)
            opened = {"comm_id": "c1", "target_name": "echo", "data": {}}
            await channels.send("comm_open", opened)
            await channels.send("comm_msg", {"comm_id": "c1", "data": {}}, buffers=buffers)
            answer = await channels.until("comm_msg")
            return list(answer["buffers"])

    assert asyncio.run(converse()) == buffers
    for direction in ("to_kernel", "to_client"):
        message = wait_for(partial(comm_message, client, direction), "the comm message")
        assert list(message.buffers) == buffers
        assert message.encoding == ("v1" if v1 else "binary")


@one_kind
def test_two_clients_at_once_are_told_apart_in_one_file(client: Client) -> None:
    async def converse() -> tuple[Channels, Channels]:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id) as first, client.connect(kernel_id, v1=True) as second:
            await asyncio.gather(first.run("print(1)"), second.run("print(2)"))
        return first, second

    first, second = asyncio.run(converse())
    wait_closed(client, 2)
    messages = client.tap.messages()
    sent = [payloads(messages, "to_kernel", number) for number in (1, 2)]
    assert sorted(sent) == sorted([first.sent, second.sent])
    one = 1 + sent.index(first.sent)
    assert payloads(messages, "to_client", one)[: len(first.received)] == first.received
    assert payloads(messages, "to_client", 3 - one)[: len(second.received)] == second.received
    assert [event.data["client"] for event in client.tap.events("client_connected")] == [1, 2]


@one_kind
def test_a_client_that_comes_again_is_the_same_one_in_the_same_file(client: Client) -> None:
    async def converse() -> None:
        kernel_id = await client.start_kernel()
        for session in ("mine", "other", "mine"):
            async with client.connect(kernel_id, session=session) as channels:
                await channels.run()

    asyncio.run(converse())
    wait_closed(client, 3)
    connected = client.tap.events("client_connected")
    assert [event.data["client"] for event in connected] == [1, 2, 1]
    requests = [one for one in client.tap.messages() if one.msg_type == "execute_request"]
    assert [request.client for request in requests] == [1, 2, 1]


@both_kinds
def test_a_file_a_kernel_named_after_it_and_closed_once_it_is_deleted(client: Client) -> None:
    async def converse() -> list[str]:
        kernel_ids = [await client.start_kernel() for _ in range(2)]
        for kernel_id in kernel_ids:
            async with client.connect(kernel_id) as channels:
                await channels.run()
        assert (await client.ask("DELETE", f"/api/kernels/{kernel_ids[0]}")).code == 204
        return kernel_ids

    deleted, alive = asyncio.run(converse())

    def state_of(kernel_id: str) -> str:
        (path,) = (path for path in client.tap.files() if kernel_id[:8] in path.name)
        assert path.name.startswith("python3-")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with kspy.open(path) as recording:
            assert recording.metadata["kernel_id"] == kernel_id
            assert recording.metadata["kernel_name"] == "python3"
            return recording.state

    wait_for(lambda: state_of(deleted) == "whole", "the end of the file")
    assert state_of(alive) == "growing"
    assert stat.S_IMODE(client.tap.recordings.stat().st_mode) == 0o700
    client.tap.end()
    assert state_of(alive) == "whole"


@both_kinds
def test_interrupt_restart_and_shutdown_by_request(client: Client) -> None:
    async def converse() -> None:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id) as channels:
            request = await channels.execute(HERE)
            await channels.until("stream", request)
            interrupted = await client.ask("POST", f"/api/kernels/{kernel_id}/interrupt")
            assert interrupted.code == 204
            error = await channels.until("error", request)
            assert error["content"]["ename"] == "KeyboardInterrupt"
            await channels.until("status", request, lambda c: c["execution_state"] == "idle")
            restarted = await client.ask("POST", f"/api/kernels/{kernel_id}/restart")
            assert restarted.code == 200
        async with client.connect(kernel_id) as channels:
            assert await channels.run("print('again')") == "again\n"
        await client.ask("DELETE", f"/api/kernels/{kernel_id}")

    asyncio.run(converse())
    client.tap.wait_event("kernel_shut_down")
    names = ("kernel_interrupted", "kernel_restarted", "kernel_shut_down")
    found = [event for event in client.tap.events() if event.name in names]
    assert [event.name for event in found] == list(names)
    assert {event.data["by"] for event in found} == {"HTTP request"}
    error = client.tap.wait_recorded(lambda one: one.msg_type == "error")
    assert found[0].time_ns < error.time_ns < found[1].time_ns


@one_kind
def test_close_codes_pass_and_are_recorded(client: Client) -> None:
    async def converse() -> None:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id) as channels:
            await channels.run()
            channels.connection.close(4321, "enough for today")
            while await channels.connection.read_message() is not None:
                pass

    asyncio.run(converse())
    closed = client.tap.wait_event("client_disconnected")
    wanted = {"client": 1, "code": 4321, "reason": "enough for today", "closed_by": "client"}
    assert closed.data == wanted


@one_kind
def test_a_cut_connection_is_an_event(client: Client) -> None:
    async def converse() -> None:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id) as channels:
            await channels.run()
            protocol = channels.connection.protocol
            assert protocol is not None
            assert protocol.stream is not None
            protocol.stream.close()

    asyncio.run(converse())
    closed = client.tap.wait_event("client_disconnected")
    assert closed.data == {"client": 1, "cut_by": "client"}


@one_kind
def test_the_tap_that_ends_says_so_to_clients_and_in_the_file(client: Client) -> None:
    async def converse() -> None:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id) as channels:
            await channels.run()
            assert await asyncio.to_thread(client.tap.end) == 0
            while await channels.connection.read_message() is not None:
                pass

    asyncio.run(converse())
    closed, stopped = client.tap.events()[-2:]
    assert closed.data == {"client": 1, "cut_by": "tap"}
    assert (stopped.name, stopped.data) == ("tap_stopped", {"reason": "interrupted"})
    with kspy.open(client.tap.file()) as recording:
        assert recording.state == "whole"


@one_kind
def test_no_token_is_written_or_printed_anywhere(server: Server) -> None:
    secret = server.token
    url = f"http://somebody:{secret}@{server.url.removeprefix('http://')}/?token={secret}#{secret}"

    async def converse(client: Client) -> None:
        kernel_id = await client.start_kernel()
        in_query = Client(client.url, "wrong")
        async with client.connect(kernel_id, session=f"s&token={secret}") as channels:
            channels.session = "plain"
            await channels.run()
        assert (await in_query.ask("GET", "/api/kernels")).code in (401, 403)
        assert (await in_query.ask("GET", f"/api/kernels?token={secret}", token="")).code == 200

    with short_folder() as folder, tapping_gateway(folder, url) as tap:
        asyncio.run(converse(Client(tap.url, secret, tap)))
        tap.wait_event("client_disconnected")
        tap.end()
        assert secret not in tap.said
        assert "refused a request" in tap.said
        with kspy.open(tap.file()) as recording:
            assert recording.metadata["gateway"] == server.url
            for story in recording.stories():
                content = story.frames if isinstance(story, Message) else story.data
                assert secret not in repr(content)
            assert secret not in repr(recording.metadata)
        assert secret.encode() not in tap.file().read_bytes()


@both_kinds
def test_wrong_token_and_unknown_kernel_are_the_servers_own_answers(
    client: Client, server: Server
) -> None:
    direct = Client(server.url, server.token)

    async def answers_of(one: Client) -> list[tuple[int, bytes]]:
        unknown = "/api/kernels/00000000-0000-4000-8000-000000000000"
        found = [
            await one.ask("GET", "/api/kernels", token="wrong"),
            await one.ask("GET", "/api/kernels", token=""),
            await one.ask("GET", f"{unknown}/channels"),
            await one.ask("DELETE", unknown),
            await one.ask("GET", unknown),
        ]
        return [(response.code, response.body) for response in found]

    through = asyncio.run(answers_of(client))
    assert through == asyncio.run(answers_of(direct))
    codes = [code for code, _ in through]
    assert 404 in codes
    refusals = {401, 403}.intersection(codes)
    assert refusals
    for code in refusals:
        assert client.tap.said.count(f"refused a request ({code})") == 1
    assert client.tap.files() == []
