"""What is said through a tap arrives, and is recorded: a real kernel and real clients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from tapping import HERE, PATIENCE, Tap, answer, ask, tapping, until_idle, wait_for

from kspy.wire.frames import CHANNELS, DIRECTIONS, split
from kspy.wire.message import Message


@pytest.fixture(scope="module")
def tap() -> Iterator[Tap]:
    """One tap for the tests of this file; each has a client of its own."""
    with tapping() as running:
        yield running


def test_all_five_channels_are_recorded(tap: Tap) -> None:
    with tap.client() as client:
        client.hb_channel.unpause()
        client.execute_interactive("input()", stdin_hook=lambda _: client.input("x"), timeout=60)
        ask(client, "kernel_info_request", {})
        ways = {(c, d) for c in CHANNELS for d in DIRECTIONS}
        ways -= {("iopub", "to_kernel")}  # nothing but subscriptions, which are events
        wait_for(lambda: {(m.channel, m.direction) for m in tap.messages()} == ways, "all channels")
        assert tap.events("subscribed")


def test_input_is_asked_of_the_client_that_runs_the_code(tap: Tap) -> None:
    with tap.client() as bystander, tap.client() as client:
        msg_id = client.execute("print('got ' + input('who? '))")
        question = client.get_stdin_msg(timeout=PATIENCE)
        assert question["content"]["prompt"] == "who? "
        client.input("me")
        assert answer(client, msg_id)["content"]["status"] == "ok"
        texts = [m["content"].get("text", "") for m in until_idle(client, msg_id)]
        assert "got me\n" in "".join(texts)
        assert not bystander.stdin_channel.msg_ready()
        asked = tap.wait_recorded(lambda m: m.content.get("prompt") == "who? ")
        said = tap.wait_recorded(lambda m: m.content.get("value") == "me")
        request = tap.wait_recorded(lambda m: m.msg_id == msg_id)
        assert asked.client == said.client == request.client is not None
        assert asked.seq < said.seq


def is_reply(message: Message, msg_id: str) -> bool:
    return message.parent_id == msg_id and message.msg_type == "execute_reply"


def test_clients_are_told_apart(tap: Tap) -> None:
    with tap.client() as first, tap.client() as second, tap.client() as third:
        ids = [client.execute(f"print({n})") for n, client in enumerate((first, second, third))]
        for client, msg_id in zip((first, second, third), ids, strict=True):
            answer(client, msg_id)
        numbers = []
        for msg_id in ids:
            reply = tap.wait_recorded(partial(is_reply, msg_id=msg_id))
            told = {m.client for m in tap.messages() if msg_id in (m.msg_id, m.parent_id)}
            assert told == {reply.client}
            numbers.append(reply.client)
        assert None not in numbers
        assert len(set(numbers)) == 3
        identified = {event.data["client"] for event in tap.events("client_identified")}
        assert identified >= set(numbers)


COMM = """
from comm import create_comm, get_comm_manager
def opened(comm, message):
    @comm.on_msg
    def back(message):
        comm.send(message["content"]["data"], buffers=message["buffers"])
get_comm_manager().register_target("echo", opened)
"""


def test_comms_carry_buffers_byte_for_byte(tap: Tap) -> None:
    buffers = [b"", bytes(range(256)), os.urandom(300_000), b"<IDS|MSG>", b"\x00" * 16]
    with tap.client() as client:
        answer(client, client.execute(COMM))
        opening = client.session.msg(
            "comm_open", {"comm_id": "c1", "target_name": "echo", "data": {}}
        )
        client.shell_channel.send(opening)
        message = client.session.msg("comm_msg", {"comm_id": "c1", "data": {"n": 1}})
        client.session.send(client.shell_channel.socket, message, buffers=buffers)
        back = next(
            m
            for m in until_idle(client, message["header"]["msg_id"])
            if m["msg_type"] == "comm_msg"
        )
        assert [bytes(buffer) for buffer in back["buffers"]] == buffers
        recorded = tap.wait_recorded(lambda m: m.msg_id == back["header"]["msg_id"])
        assert list(recorded.buffers) == buffers
        sent = tap.wait_recorded(lambda m: m.msg_id == message["header"]["msg_id"])
        assert list(sent.buffers) == buffers
        assert sent.flags == recorded.flags == ()


def test_an_interrupt_request_reaches_the_kernel_while_it_is_busy(tap: Tap) -> None:
    with tap.client() as client:
        msg_id = client.execute(HERE)
        wait_for(lambda: _printed(client, "here"), "the cell's output")
        assert ask(client, "interrupt_request", {})["content"]["status"] == "ok"
        assert answer(client, msg_id)["content"]["ename"] == "KeyboardInterrupt"
        request = tap.wait_recorded(lambda m: m.msg_type == "interrupt_request")
        reply = tap.wait_recorded(lambda m: m.msg_type == "interrupt_reply")
        assert (request.channel, reply.channel) == ("control", "control")
        assert request.client == reply.client


def _printed(client: Any, text: str) -> bool:
    message = client.get_iopub_msg(timeout=PATIENCE)
    return text in message["content"].get("text", "")


def test_debug_requests_pass(tap: Tap) -> None:
    question = {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}}
    with tap.client() as client:
        reply = ask(client, "debug_request", question)
        assert reply["content"]["command"] == "debugInfo"
        assert reply["content"]["success"]
        recorded = tap.wait_recorded(lambda m: m.msg_type == "debug_reply")
        assert recorded.content == reply["content"]


def test_subshells_answer_while_the_main_shell_is_busy(tap: Tap) -> None:
    with tap.client() as client:
        created = ask(client, "create_subshell_request", {})
        subshell = created["content"]["subshell_id"]
        answer(client, client.execute("import threading; gate = threading.Event()"))
        main = client.execute("gate.wait()")
        message = client.session.msg("execute_request", {"code": "gate.set()", "silent": False})
        message["header"]["subshell_id"] = subshell
        client.shell_channel.send(message)
        sub = message["header"]["msg_id"]
        replies = [client.get_shell_msg(timeout=PATIENCE) for _ in (main, sub)]
        assert all(reply["content"]["status"] == "ok" for reply in replies)
        # Both are free at once, so either may answer first.
        assert {reply["parent_header"]["msg_id"] for reply in replies} == {main, sub}
        listed = ask(client, "list_subshell_request", {})
        assert listed["content"]["subshell_id"] == [subshell]
        ask(client, "delete_subshell_request", {"subshell_id": subshell})
        asked = tap.wait_recorded(lambda m: m.msg_id == sub)
        assert asked.header["subshell_id"] == subshell
        tap.wait_recorded(lambda m: m.msg_type == "delete_subshell_reply")


def test_every_message_is_signed_and_whole(tap: Tap) -> None:
    with tap.client() as client:
        client.execute_interactive("1/0", output_hook=lambda _: None, timeout=60)
    tap.wait_recorded(lambda m: m.content.get("ename") == "ZeroDivisionError")
    for message in tap.messages():
        assert set(message.flags) <= {"redelivered"}, message
        assert message.channel == "hb" or split(message.frames)


def test_requests_are_recorded_before_what_answers_them(tap: Tap) -> None:
    with tap.client() as client:
        for n in range(50):
            answer(client, client.execute(f"{n}"))
    tap.wait_recorded(lambda m: m.content.get("code") == "49")
    messages = tap.messages()
    place = {m.msg_id: m.seq for m in messages if m.direction == "to_kernel" and m.msg_id}
    late = [
        m for m in messages if m.direction == "to_client" and place.get(m.parent_id, -1) > m.seq
    ]
    assert late == []
    times = [m.time_ns for m in messages]
    assert times == sorted(times)
    assert [m.seq for m in messages] == list(range(len(messages)))
