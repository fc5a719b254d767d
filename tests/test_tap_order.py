"""Putting captures in order: nothing lost, requests first, times that never run backwards."""

from __future__ import annotations

import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kspy.tap.captures import Capture
from kspy.tap.order import HOLD_NS, Order, Ordered
from kspy.wire.frames import DELIMITER, Channel, Direction
from kspy.wire.message import ROUTES, TO_CLIENT

LATER = 1 << 60


def capture(
    time_ns: int,
    channel: Channel,
    direction: Direction,
    msg_id: str = "",
    parent: str = "",
    session: str = "s",
) -> Capture:
    header = json.dumps({"msg_id": msg_id, "session": session}).encode()
    parent_header = json.dumps({"msg_id": parent} if parent else {}).encode()
    frames = [b"who", DELIMITER, b"", header, parent_header, b"{}", b"{}"]
    return Capture(time_ns, ROUTES[channel, direction], frames)


def ordered(captures: list[Capture]) -> list[Ordered]:
    order = Order()
    found: list[Ordered] = []
    for one in captures:
        found += order.add(one)
    found += order.release(LATER)
    assert not order.holding
    return found


def request(time_ns: int, msg_id: str, channel: Channel = "shell") -> Capture:
    return capture(time_ns, channel, "to_kernel", msg_id)


def output(time_ns: int, parent: str, msg_id: str = "o") -> Capture:
    return capture(time_ns, "iopub", "to_client", msg_id, parent)


def test_a_request_goes_before_its_answer_that_came_first() -> None:
    found = [item.capture for item in ordered([output(5, "a"), request(7, "a")])]
    assert [one.time_ns for one in found] == [5, 5]
    assert [one.route & TO_CLIENT for one in found] == [0, TO_CLIENT]


def test_what_answers_a_request_from_before_the_tap_waits_only_once() -> None:
    order = Order()
    assert list(order.add(output(0, "before"))) == []
    assert list(order.release(HOLD_NS - 1)) == []
    assert len(list(order.release(HOLD_NS))) == 1
    assert len(list(order.add(output(HOLD_NS + 1, "before")))) == 1


def test_what_needs_no_request_is_given_at_once() -> None:
    order = Order()
    for one in (
        request(1, "a"),
        output(2, "a"),
        output(3, ""),
        Capture(4, ROUTES["hb", "to_client"], [b"ping"]),
        Capture(5, ROUTES["shell", "to_client"], [b"no", b"message"]),
        Capture(6, ROUTES["iopub", "to_client"], [DELIMITER]),
    ):
        assert [item.capture for item in order.add(one)] == [one]


def test_whose_request_an_answer_belongs_to_is_known() -> None:
    asked = [
        capture(1, "shell", "to_kernel", "a", session="Ada"),
        capture(2, "shell", "to_kernel", "b", session="Bob"),
        output(3, "b"),
        output(4, "a"),
        output(5, "c"),
    ]
    assert [item.parent for item in ordered(asked)] == ["", "", "Bob", "Ada", ""]
    assert [item.session for item in ordered(asked)][:2] == ["Ada", "Bob"]


IDS = st.sampled_from(["a", "b", "c", ""])
CHANNELS: st.SearchStrategy[Channel] = st.sampled_from(["shell", "control", "stdin"])
STEPS = st.sampled_from([0, 1, 1000, HOLD_NS // 2, HOLD_NS, 3 * HOLD_NS])


@st.composite
def traffic(draw: st.DrawFn) -> list[Capture]:
    """Anything that may be captured, in any order, at times that do not run backwards."""
    now = 0
    found = []
    for number in range(draw(st.integers(0, 25))):
        now += draw(STEPS)
        kind = draw(st.sampled_from(["request", "reply", "output", "hb", "junk"]))
        if kind == "request":
            one = request(now, draw(IDS), draw(CHANNELS))
        elif kind == "reply":
            one = capture(now, draw(CHANNELS), "to_client", f"r{number}", draw(IDS))
        elif kind == "output":
            one = output(now, draw(IDS), f"o{number}")
        elif kind == "hb":
            one = Capture(now, ROUTES["hb", draw(st.sampled_from(["to_kernel", "to_client"]))], [])
        else:
            route = draw(st.sampled_from(sorted(ROUTES.values())))
            one = Capture(now, route, draw(st.lists(st.sampled_from([b"", DELIMITER, b"{}"]))))
        found.append(one._replace(frames=[*one.frames, b"%d" % number]))
    return found


@given(traffic())
def test_nothing_is_lost_added_or_changed(captures: list[Capture]) -> None:
    found = sorted(ordered(captures), key=lambda item: int(item.capture.frames[-1]))
    assert [(i.capture.route, i.capture.frames) for i in found] == [
        (one.route, one.frames) for one in captures
    ]


@given(traffic())
def test_times_never_run_backwards(captures: list[Capture]) -> None:
    times = [item.capture.time_ns for item in ordered(captures)]
    assert times == sorted(times)


@given(traffic())
def test_the_order_on_each_route_stays(captures: list[Capture]) -> None:
    found = ordered(captures)
    for route in ROUTES.values():
        numbers = [int(i.capture.frames[-1]) for i in found if i.capture.route == route]
        assert numbers == sorted(numbers)


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.randoms(use_true_random=False))
def test_every_request_precedes_its_answers_however_they_came(
    ids: list[str], random: Random
) -> None:
    captures = [request(0, one) for one in ids]
    captures += [output(0, one, f"o{one}{n}") for one in ids for n in range(3)]
    random.shuffle(captures)
    requests = [one for one in captures if not one.route & TO_CLIENT]
    rank = {id(one): n for n, one in enumerate(requests)}
    assert len(rank) == len(ids)
    known: set[str] = set()
    for item in ordered(captures):
        frames = item.capture.frames
        if item.capture.route & TO_CLIENT:
            assert json.loads(frames[4])["msg_id"] in known
        else:
            known.add(json.loads(frames[3])["msg_id"])
