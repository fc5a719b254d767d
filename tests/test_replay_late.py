"""What came late, as from a thread in the background or a debugger: how a replay waits for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conversation import MILLISECOND, Conversation, of_frames, serialize
from hypothesis import given
from hypothesis import strategies as st
from replays import run, script_of, told

from kspy.replay.client.extent import NO_TEXT, Extent, Texts
from kspy.replay.client.items import FINISH, NOBODY, Wait
from kspy.replay.client.progress import Progress
from kspy.replay.client.waiting import of_each


def event(conversation: Conversation, request: dict[str, Any], what: str) -> None:
    content = {"type": "event", "event": what}
    conversation.publish("debug_event", content, request)


def test_what_comes_after_an_idle_is_waited_for_before_what_followed_it(tmp_path: Path) -> None:
    """A debugger is told that the kernel stopped, and asks where."""
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        done = c.ask("debug_request", {"command": "continue"}, "control")
        c.status("busy", done)
        c.publish("stream", {"name": "stdout", "text": "1"}, done)  # comes with the idle
        c.status("idle", done)
        event(c, done, "continued")
        event(c, done, "stopped")
        runs = c.ask("execute_request", {"code": "f()"})
        c.publish("display_data", {}, runs)
        c.ask("debug_request", {"command": "stackTrace"}, "control")
        c.status("idle", runs)
    script = script_of(path)
    assert told(script) == [
        "send 0", f"wait 0 {FINISH} 1", "wait 0 debug_event 2",
        "send 6", "wait 6 display_data 1", "send 8", f"wait 6 {FINISH} 1",
    ]  # fmt: skip
    waits = [item for item in script.items if isinstance(item, Wait) and item.what != FINISH]
    assert [(wait.certain, wait.within) for wait in waits] == [(False, False), (False, True)]
    assert not script.last


def test_what_the_kernel_says_unasked_is_waited_for_as_well(tmp_path: Path) -> None:
    """But not what belongs to a request that is not in the recording."""
    path = tmp_path / "a.kspy"
    stranger, _ = serialize("execute_request", {})
    with Conversation(path) as c:
        c.status("starting")
        c.ask("comm_info_request")
        c.publish("comm_open", {"comm_id": "a"}, stranger)
        c.publish("comm_open", {"comm_id": "b"})
        c.publish("display_data", {}, stranger)
        c.ask("comm_info_request")
        c.publish("comm_msg", {"comm_id": "b"})
        c.event("kernel_shut_down")
        c.publish("comm_close", {"comm_id": "b"})
    script = script_of(path)
    assert told(script) == ["send 1", f"wait {NOBODY} comm_open 1", "send 5"]
    [last] = script.last
    assert (last.place, last.what, script.makers) == (NOBODY, "comm_msg", {(-1, "comm_open"): [3]})
    progress = Progress()
    assert not progress.has(last)
    _, frames = serialize("comm_msg", {"comm_id": "c"})
    progress.see(of_frames(frames), 0.0)
    assert progress.has(last)


def test_what_a_request_before_the_recording_still_brings_is_not_counted(tmp_path: Path) -> None:
    """What comes for that no replay can bring again; it must not be waited for."""
    path = tmp_path / "a.kspy"
    stranger, _ = serialize("execute_request", {})
    with Conversation(path) as c:
        for request in (stranger, None, stranger):
            c.publish("display_data", {}, request)
            c.publish("stream", {"name": "stdout", "text": "a line\n"}, request)
        c.ask("comm_info_request")
    script = script_of(path)
    progress = Progress(script.measured)
    *waits, _ = script.items
    assert len(waits) == 2
    for msg_type, content in ("display_data", {}), ("stream", {"name": "stdout", "text": "b\n"}):
        progress.see(of_frames(serialize(msg_type, content)[1]), 0.0)
    assert all(isinstance(wait, Wait) and progress.has(wait) for wait in waits)


def test_what_comes_after_all_was_sent_is_waited_for_by_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        request = c.ask("execute_request", {"code": "thread.start()"})
        c.publish("stream", {"name": "stdout", "text": "at once\n"}, request)
        c.status("idle", request)
        for text in ("a\nb", "c\n"):
            c.publish("stream", {"name": "stdout", "text": text}, request)
    script = script_of(path)
    assert told(script) == ["send 0", f"wait 0 {FINISH} 1"]
    [late] = script.last
    assert (late.place, late.what, late.number) == (0, "stream", 1)  # pieces are not counted
    assert late.texts == Texts(Extent(3))
    progress = Progress(script.measured)
    progress.send(0, request["header"]["msg_id"], "shell", answered=True)
    for text in ("at once\na\n", "b"):
        _, frames = serialize("stream", {"name": "stdout", "text": text}, request)
        progress.see(of_frames(frames), 0.0)
        assert not progress.has(late)
    _, frames = serialize("stream", {"name": "stdout", "text": "c, a longer one\n"}, request)
    progress.see(of_frames(frames), 0.0)
    assert progress.has(late)


def test_how_stdout_and_stderr_interleave_is_chance(tmp_path: Path) -> None:
    """And a line that has not ended, as a bar of progress, may be shorter than it was."""
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        request = c.ask("execute_request", {"code": "input()"})
        c.publish("stream", {"name": "stderr", "text": "warning\n"}, request)
        c.publish("stream", {"name": "stdout", "text": "10.00 s elapsed"}, request)
        c.ask("comm_info_request")
    script = script_of(path)
    wait = script.items[1]
    assert isinstance(wait, Wait)
    progress = Progress(script.measured)
    progress.send(0, request["header"]["msg_id"], "shell", answered=True)
    for name, text, come in ("stdout", "9.7 s elapsed", False), ("stderr", "warning\n", True):
        _, frames = serialize("stream", {"name": name, "text": text}, request)
        progress.see(of_frames(frames), 0.0)
        assert progress.has(wait) is come


@given(st.lists(st.text("ab\n\r"), max_size=6))
def test_a_text_comes_as_far_in_whichever_pieces(pieces: list[str]) -> None:
    extent = NO_TEXT
    for piece in pieces:
        further = extent.after(piece)
        assert further >= extent
        extent = further
    assert extent == NO_TEXT.after("".join(pieces))


@pytest.mark.parametrize(("silent", "listened"), [(1, 1), (3600, 2)])
def test_the_end_is_when_nobody_listened_any_more(
    tmp_path: Path, silent: int, listened: int
) -> None:
    """Whatever a tap says, and hears, when it ends the kernel; and not after an idle hour."""
    path, second = tmp_path / "a.kspy", 1_000_000_000
    with Conversation(path) as c:
        run(c, "1")
        last = c.now_ns - MILLISECOND
        for _ in range(silent):
            c.now_ns += second - MILLISECOND
            c.raw("hb", "to_kernel", [b"ping"])
        c.now_ns = last + silent * second
        c.event("tap_stopped")
        c.event("kernel_shut_down")
        c.now_ns += second
        c.status("idle")
        c.event("kernel_died")
    assert script_of(path).end_ns == last + listened * second


def test_what_came_too_late_three_times_is_not_waited_for_at_all() -> None:
    progress = Progress()
    late = Wait(0, 0, "stream", certain=False, within=False)
    for place in range(4):
        progress.send(place, f"m{place}", "shell", answered=True)
    for place in range(3):
        assert not progress.never(late._replace(place=3))
        progress.give_up(late._replace(place=place))
    assert progress.never(late._replace(place=3))
    assert not progress.never(late._replace(place=3, within=True))


def test_after_many_waits_in_vain_only_what_is_certain_is_waited_for() -> None:
    """However many types of messages a recording makes up."""
    progress = Progress()
    progress.send(0, "m", "shell", answered=True)
    waits = [Wait(0, 0, f"made_up_{n}", certain=False) for n in range(100)]
    for wait in waits:
        if not progress.never(wait):
            progress.give_up(wait)
    assert sum(wait.what in progress[0].given_up for wait in waits) == 24
    assert not progress.never(Wait(0, 0, "comm_open"))


def test_at_the_end_what_has_come_is_not_asked_for_again() -> None:
    """A hundred thousand late outputs must not make it a matter of hours."""
    asked = Counter[int]()
    come = set[int]()

    def has(number: int) -> bool:
        asked[number] += 1
        return number in come

    all_have = of_each(range(100), has)
    for number in range(100):
        assert not all_have()
        come.add(number)
    assert all_have()
    assert sum(asked.values()) == 200
