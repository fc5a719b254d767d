"""What arrives is byte for byte what was sent, in order, nothing lost; and so is the recording."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from command import kspy
from fake_kernel import (
    FakeKernel,
    Frames,
    RawClient,
    Sockets,
    fake_kernel,
    raw_client,
    signed,
    subscribed,
    tapped,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tapping import Tap, wait_for

from kspy.wire.frames import Channel
from kspy.wire.message import Message

FRAME = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"<IDS|MSG>", b"{}", b'{"msg_id": "a"}', b"\x80", b"[1]", b"\xff"]),
)
FRAMES = st.lists(FRAME, min_size=1, max_size=9)
THREE: tuple[Channel, ...] = ("shell", "stdin", "control")


@pytest.fixture(scope="module")
def client(tap: Tap, kernel: FakeKernel) -> Iterator[RawClient]:
    with raw_client(tap) as running:
        subscribed(running, kernel)
        yield running


def round_trip(client: RawClient, kernel: FakeKernel, channel: Channel, frames: Frames) -> None:
    """Send them to the kernel and back."""
    client.send(channel, frames)
    prefix_and_frames = kernel.receive(channel)
    assert prefix_and_frames[1:] == [client.identity, *frames]
    kernel.send(channel, prefix_and_frames)
    assert client.receive(channel) == list(frames)


def recorded(tap: Tap, channel: Channel, direction: str) -> list[list[bytes]]:
    return [
        list(message.frames)
        for message in tap.messages()
        if (message.channel, message.direction) == (channel, direction)
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(THREE), FRAMES)
def test_any_frames_pass(
    tap: Tap, kernel: FakeKernel, client: RawClient, channel: Channel, frames: list[bytes]
) -> None:
    round_trip(client, kernel, channel, frames)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FRAMES)
def test_any_frames_are_published(
    tap: Tap, kernel: FakeKernel, client: RawClient, frames: list[bytes]
) -> None:
    kernel.send("iopub", frames)
    assert client.receive("iopub") == frames


def test_heartbeats_come_back_as_they_are(tap: Tap, kernel: FakeKernel, client: RawClient) -> None:
    for ping in ([b"ping"], [b""], [os.urandom(300)], [b"a", b"", b"b"]):
        client.send("hb", ping)
        pong = kernel.receive("hb")
        assert pong == ping
        kernel.send("hb", pong)
        assert client.receive("hb") == ping


def test_huge_buffers_pass_and_are_recorded(
    tap: Tap, kernel: FakeKernel, client: RawClient
) -> None:
    huge = [*signed("comm_msg", {"data": {}}), b"", os.urandom(20 << 20), b"end"]
    round_trip(client, kernel, "shell", huge)
    kernel.send("iopub", huge)
    assert client.receive("iopub") == huge

    def all_three() -> list[Message] | None:
        found = [m for m in tap.messages() if m.size > 20 << 20]
        return found if len(found) == 3 else None

    for message in wait_for(all_three, "the recording of huge messages"):
        assert list(message.frames)[-len(huge) :] == huge
        assert message.flags == ()


def test_other_packers_wrong_signatures_and_nonsense_are_passed_on_and_flagged(
    tap: Tap, kernel: FakeKernel, client: RawClient
) -> None:
    sound = signed("execute_request", {"code": "sound"})
    wrong = signed("execute_request", {"code": "wrong"}, key=b"another key")
    packed = signed("execute_request", {"code": "packed"}, packer="msgpack", unpacker="msgpack")
    unreadable = [*packed[:2], b"\xff", *packed[3:]]
    cases: list[tuple[Frames, set[str]]] = [
        (sound, set()),
        (wrong, {"bad_signature"}),
        (packed, {"msgpack"}),
        (unreadable, {"bad_signature", "undecodable", "msgpack"}),
        (sound[:4], {"malformed"}),
        ([b"no message at all"], {"malformed"}),
        ([b""], {"malformed"}),
    ]
    for frames, flags in cases:
        round_trip(client, kernel, "shell", frames)
        message = tap.wait_frames([client.identity, *frames])
        assert set(message.flags) == flags, frames
        assert message.client == 1
    for arguments in (["show"], ["show", "--json"], ["show", "--threads"], ["info"]):
        shown = kspy(*arguments, tap.recording)
        assert (shown.returncode, shown.stderr) == (0, ""), arguments


def test_a_burst_reaches_a_slow_client_whole_and_in_order(tmp_path: Path) -> None:
    sizes = random.Random(1)
    burst = [[b"topic", b"%d" % n, b"x" * sizes.choice((0, 10, 1000, 4000))] for n in range(5000)]
    with fake_kernel() as kernel, tapped(kernel, tmp_path) as tap, raw_client(tap) as client:
        subscribed(client, kernel)
        for frames in burst:  # nobody receives meanwhile
            kernel.send("iopub", frames)
        wait_for(lambda: recorded(tap, "iopub", "to_client")[-1:] == burst[-1:], "the burst")
        assert [client.receive("iopub") for _ in burst] == burst
        assert recorded(tap, "iopub", "to_client")[-len(burst) :] == burst
        assert tap.end() == 0
        assert "lost" not in tap.stderr


def talk(sockets: Sockets, channel: Channel, rounds: int) -> None:
    for n in range(rounds):
        sockets.send(channel, [b"%d" % n])


def echo(kernel: FakeKernel, channel: Channel, rounds: int) -> None:
    for _ in range(rounds):
        kernel.send(channel, kernel.receive(channel))


def test_traffic_on_all_channels_at_once_keeps_its_order(tmp_path: Path) -> None:
    rounds = 300
    expected = [[b"%d" % n] for n in range(rounds)]
    with fake_kernel() as kernel, tapped(kernel, tmp_path) as tap, raw_client(tap) as client:
        subscribed(client, kernel)
        threads = [threading.Thread(target=talk, args=(kernel, "iopub", rounds))]
        for channel in THREE:
            threads.append(threading.Thread(target=talk, args=(client, channel, rounds)))
            threads.append(threading.Thread(target=echo, args=(kernel, channel, rounds)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for channel in (*THREE, "iopub"):
            assert [client.receive(channel) for _ in expected] == expected
        assert tap.end() == 0
        assert recorded(tap, "iopub", "to_client")[-rounds:] == expected
        for channel, direction in product(THREE, ("to_kernel", "to_client")):
            found = [frames[1:] for frames in recorded(tap, channel, direction)]
            assert found == expected, (channel, direction)
