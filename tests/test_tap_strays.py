"""A kernel that answers without the client's routing prefix is heard by the client that asked."""

from __future__ import annotations

import json

from fake_kernel import KEY, FakeKernel, Frames, RawClient, raw_client
from jupyter_client.session import Session
from tapping import Tap, wait_for

from kspy.tap.strays import Strays
from kspy.wire.frames import CHANNELS, DELIMITER, Channel

SHELL, STDIN, CONTROL = (CHANNELS.index(name) for name in ("shell", "stdin", "control"))


def ask(client: RawClient, kernel: FakeKernel, channel: Channel, session: Session) -> Frames:
    """Send a request; what the kernel is sent, of which it keeps the first frame alone."""
    client.send(channel, session.serialize(session.msg("execute_request", {"code": "1"})))
    return kernel.receive(channel)


def answer(request: Frames, msg_type: str) -> Frames:
    """The answer of a kernel that keeps the first frame of the routing prefix alone."""
    parent = json.loads(request[request.index(DELIMITER) + 2])
    own = Session(key=KEY)
    return [request[0], *own.serialize(own.msg(msg_type, {"status": "ok"}, parent=parent))]


def test_each_client_gets_its_answers_and_questions(kernel: FakeKernel, tap: Tap) -> None:
    with raw_client(tap) as first, raw_client(tap) as second:
        sessions = Session(key=KEY), Session(key=KEY)
        for channel in ("shell", "control"):
            asked = [
                ask(client, kernel, channel, session)
                for client, session in zip((first, second), sessions, strict=True)
            ]
            for client, request in reversed(list(zip((first, second), asked, strict=True))):
                reply = answer(request, "execute_reply")
                kernel.send(channel, reply)
                assert client.receive(channel) == reply[1:]
        question = answer(asked[1], "input_request")
        kernel.send("stdin", question)
        assert second.receive("stdin") == question[1:]


def test_it_is_recorded_once_as_it_was_sent(kernel: FakeKernel, tap: Tap) -> None:
    with raw_client(tap) as client:
        request = ask(client, kernel, "shell", Session(key=KEY))
        reply = answer(request, "stray_reply")
        kernel.send("shell", reply)
        client.receive("shell")
        # What comes after it was recorded after its copy.
        other = answer(request, "last_reply")
        kernel.send("shell", [*request[: request.index(DELIMITER)], *other[1:]])
        client.receive("shell")
        last = tap.wait_recorded(lambda m: m.msg_type == "last_reply")
        found = [m for m in tap.messages() if m.msg_type == "stray_reply"]
        assert [m.frames for m in found] == [list(reply[1:])]
        assert found[0].client == last.client is not None


def test_no_request_goes_astray(kernel: FakeKernel, tap: Tap) -> None:
    with raw_client(tap) as client:
        for channel in ("shell", "stdin", "control"):
            for number in range(20):
                client.send(channel, [b"%d" % number])
            got = [kernel.receive(channel)[-1] for _ in range(20)]
            assert got == [b"%d" % number for number in range(20)]


def test_who_never_asked_gets_nothing(kernel: FakeKernel, tap: Tap) -> None:
    with raw_client(tap) as client:
        request = ask(client, kernel, "shell", Session(key=KEY))
        own = Session(key=KEY)
        header = {"msg_id": "x", "session": "nobody's"}
        lost = own.serialize(own.msg("lost_reply", {}, parent=header))
        kernel.send("shell", [request[0], *lost])
        reply = answer(request, "execute_reply")
        kernel.send("shell", reply)
        assert client.receive("shell") == reply[1:]
        wait_for(lambda: any(m.msg_type == "lost_reply" for m in tap.messages()), "it is recorded")


def test_strays_are_known_by_their_session() -> None:
    strays = Strays()
    strays.asked(SHELL, b"shell socket", "s")
    strays.asked(CONTROL, b"control socket", "s")
    assert strays.returned(SHELL, "s", [b"a"]) == [b"shell socket", b"a"]
    assert strays.returned(CONTROL, "s", [b"b"]) == [b"control socket", b"b"]
    assert strays.returned(STDIN, "s", [b"c"]) == [b"shell socket", b"c"]
    assert strays.returned(SHELL, "other", [b"d"]) is None
    assert strays.returned(SHELL, "", [b"d"]) is None
    assert strays.seen([b"shell socket", b"a"])
    assert not strays.seen([b"shell socket", b"a"])
