"""`iopub_welcome` reaches the client that it is meant for, however late it subscribes."""

from __future__ import annotations

from pathlib import Path

import pytest
import zmq
from fake_kernel import FakeKernel, RawClient, fake_kernel, raw_client, signed, subscribed, tapped
from hypothesis import given
from hypothesis import strategies as st
from tapping import PATIENCE, Tap, tapping

from kspy.tap.welcome import Welcome

GREETING = signed("iopub_welcome", {"subscription": ""})


def greet(kernel: FakeKernel, greeting: list[bytes]) -> int:
    """Greet every subscription that the kernel has heard of; how many these were."""
    iopub = kernel.by_channel["iopub"]
    n = 0
    while iopub.poll(500):
        if kernel.receive("iopub") == [b"\x01"]:
            kernel.send("iopub", greeting)
            n += 1
    return n


@pytest.mark.parametrize("greets_all", [False, True])
def test_a_late_subscriber_is_welcomed_once(tmp_path: Path, greets_all: bool) -> None:
    greeting = list(GREETING)
    with fake_kernel(greets_all=greets_all) as kernel, tapped(kernel, tmp_path) as tap:
        assert greet(kernel, greeting) == (2 if greets_all else 1)
        tap.wait_recorded(lambda m: m.msg_type == "iopub_welcome")
        with raw_client(tap) as client:
            assert greet(kernel, greeting) == (1 if greets_all else 0)
            assert client.receive("iopub") == greeting
            subscribed_without_more(client, kernel, greeting)
            assert tap.events("subscribed")
        flags = [m.flags for m in tap.messages() if m.msg_type == "iopub_welcome"]
        assert flags == [(), (), ()] if greets_all else [(), ("redelivered",)]


def subscribed_without_more(client: RawClient, kernel: FakeKernel, greeting: list[bytes]) -> None:
    kernel.send("iopub", [b"the next thing"])
    assert client.receive("iopub") == [b"the next thing"]


def test_who_subscribes_to_a_topic_gets_that_topic_alone(tmp_path: Path) -> None:
    with (
        fake_kernel() as kernel,
        tapped(kernel, tmp_path) as tap,
        raw_client(tap) as everything,
        raw_client(tap, topic=b"stream") as client,
    ):
        subscribed(everything, kernel)
        iopub = client.by_channel["iopub"]
        while not iopub.poll(50):
            kernel.send("iopub", [b"stream.stdout", b"x"])
        kernel.send("iopub", [b"status", b"y"])
        kernel.send("iopub", [b"stream.stderr", b"z"])
        while (frames := client.receive("iopub")) != [b"stream.stderr", b"z"]:
            assert frames == [b"stream.stdout", b"x"]


def first_on_iopub(tap: Tap) -> list[bytes]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.RCVTIMEO, int(PATIENCE * 1000))
        socket.subscribe(b"")
        socket.connect(f"tcp://127.0.0.1:{tap.connection['iopub_port']}")
        return socket.recv_multipart()
    finally:
        context.destroy(linger=0)


def test_a_real_kernel_welcomes_each_client_through_the_tap() -> None:
    with tapping() as tap:
        for _ in range(2):
            frames = first_on_iopub(tap)
            assert b"iopub_welcome" in frames[-4]
            recorded = tap.wait_frames(frames)
            assert recorded.content["subscription"] == ""


@given(st.integers(2, 5), st.integers(1, 5))
def test_a_kernel_that_greets_all_is_never_helped(greetings: int, clients: int) -> None:
    welcome = Welcome()
    for _ in range(greetings):
        welcome.published(GREETING)
    assert [welcome.subscribed(b"") for _ in range(clients)] == [None] * clients


@given(st.lists(st.booleans(), max_size=30))
def test_each_first_subscriber_is_handed_the_greeting(come_or_go: list[bool]) -> None:
    welcome = Welcome()
    welcome.published(GREETING)
    there = 0
    for come in come_or_go:
        if come:
            assert welcome.subscribed(b"") == (GREETING if there == 0 else None)
            there += 1
        elif there:
            welcome.unsubscribed(b"")
            there -= 1


def test_topics_and_other_messages_are_no_matter_for_the_welcome() -> None:
    welcome = Welcome()
    welcome.published([b"nonsense"])
    welcome.published(signed("iopub_welcome", {"subscription": "stream"}))
    assert welcome.subscribed(b"") is None
    welcome = Welcome()
    welcome.published(GREETING)
    assert welcome.subscribed(b"stream") is None
    welcome.unsubscribed(b"stream")
    assert welcome.subscribed(b"") == GREETING
