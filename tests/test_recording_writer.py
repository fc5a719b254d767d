"""How a recording is written: who may, where, and what a full disk or a kill costs."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Said, only_messages, read, tell, write

import kspy
from kspy.errors import KspyError
from kspy.recording.lock import is_being_written, lock_for_writing
from kspy.recording.repair import repair
from kspy.recording.writer import Writer

PING = Said(1, "hb", "to_kernel", [b"ping"])


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new.kspy"
    write(path, [[PING]])
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    Writer(path, overwrite=True).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_somebody_who_asks_whether_it_is_written_is_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "asked.kspy"
    path.touch()
    with path.open("rb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)  # as `is_being_written` does, but longer
        done = threading.Timer(0.02, fcntl.flock, (asking, fcntl.LOCK_UN))
        done.start()
        Writer(path, overwrite=True).close()
        done.join()
    with kspy.open(path) as recording:
        assert recording.state == "whole"


@pytest.mark.parametrize("theirs", [b"", b"a recording"])
def test_a_file_that_somebody_else_takes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: bytes
) -> None:
    """Nothing is left of a file that was made in vain, and what is another's stays."""
    path = tmp_path / "taken.kspy"
    with ExitStack() as held:

        def too_late(file: int) -> bool:
            other = held.enter_context(path.open("wb"))
            fcntl.flock(other, fcntl.LOCK_EX)
            os.write(other.fileno(), theirs)
            return lock_for_writing(file)

        monkeypatch.setattr("kspy.recording.writer.lock_for_writing", too_late)
        with pytest.raises(KspyError, match="another kspy is recording to it"):
            Writer(path)
    assert path.exists() == bool(theirs)


def test_it_never_writes_over_a_file_unless_told_to(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_bytes(b"x" * 10_000)
    with pytest.raises(KspyError, match="precious: exists already; --force writes over it"):
        Writer(path)
    assert path.read_bytes() == b"x" * 10_000
    with Writer(path, overwrite=True) as writer:
        writer.write(*PING[:4])
    assert [story[0] for story in read(path)] == [0]


def test_a_second_writer_is_refused_even_if_it_may_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "busy.kspy"
    with Writer(path) as writer:
        writer.write(*PING[:4])
        with pytest.raises(KspyError, match="another kspy is recording to it"):
            Writer(path, overwrite=True)
        with pytest.raises(KspyError, match="is still being recorded"):
            repair(path, tmp_path / "fixed.kspy")
    assert [story[0] for story in read(path)] == [0]


def test_readers_do_not_lock_writers_out(tmp_path: Path) -> None:
    path = tmp_path / "read.kspy"
    write(path, [[PING]])
    with kspy.open(path) as first, kspy.open(path) as second:
        assert (first.state, second.state) == ("whole", "whole")
        with Writer(path, overwrite=True):
            assert first.state == "growing"


@pytest.mark.parametrize("where", ["nosuch/folder.kspy", ".", "fifo", "/dev/null"])
def test_where_it_cannot_be_written(tmp_path: Path, where: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    mode = Path("/dev/null").stat().st_mode
    with pytest.raises(KspyError, match="cannot be written"):
        Writer(tmp_path / where, overwrite=True)
    assert Path("/dev/null").stat().st_mode == mode


@pytest.mark.parametrize("what", ["empty", "folder", "fifo", "png", "zeros", "nothing", "header"])
def test_what_is_no_recording(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "zeros":
        path = Path("/dev/zero")
    elif what != "nothing":
        contents = {"png": b"\x89PNG\r\n\x1a\n" + bytes(5000), "header": b"\x81\xa4kspy\x01"}
        path.write_bytes(contents.get(what, b""))
    with pytest.raises(KspyError, match=r"is not a kspy recording|cannot be read") as refused:
        kspy.open(path)
    assert str(refused.value).startswith(f"{path}: ")


def test_a_repair_never_writes_over_its_source(tmp_path: Path) -> None:
    path, link = tmp_path / "a.kspy", tmp_path / "link.kspy"
    told = write(path, [[PING]])
    link.symlink_to(path)
    for target in (path, link):
        with pytest.raises(KspyError, match="is the recording itself"):
            repair(path, target, overwrite=True)
    assert read(path) == told


# A file that grows


def test_follow_tells_everything_once_and_ends_with_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "growing.kspy"
    written = threading.Event()

    def record() -> None:
        with Writer(path) as writer:
            written.set()
            for number in range(200):
                size = 3_000_000 if number % 50 == 7 else 10
                writer.write(number, "shell", "to_kernel", [bytes(size)])
                writer.event(number, "tick", {"n": number})
                if number % 3 == 0:
                    writer.flush()
                    time.sleep(0.002)

    thread = threading.Thread(target=record)
    thread.start()
    assert written.wait(10)
    with kspy.open(path) as recording:
        told = [tell(story) for story in recording.follow(poll_seconds=0.001)]
    thread.join()
    assert [story[0] for story in only_messages(told)] == list(range(200))
    assert told == read(path)


def test_follow_stops_when_it_is_told_to(tmp_path: Path) -> None:
    path = tmp_path / "growing.kspy"
    with Writer(path) as writer, kspy.open(path) as recording:
        asked = iter([False, False, True])
        assert list(recording.follow(lambda: next(asked), poll_seconds=0)) == []
        assert recording.state == "growing"
        writer.write(*PING[:4])
        writer.flush()
        stories = recording.follow(poll_seconds=0.001)
        assert tell(next(stories)) == (0, *PING)
        assert len(recording) == 1


@settings(max_examples=25)
@given(st.data())
def test_growing_byte_by_byte(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """However much of it is there when a reader looks, what it tells is right."""
    folder = tmp_path_factory.mktemp("growing")
    whole, path = folder / "whole.kspy", folder / "growing.kspy"
    told = write(whole, [[PING], [PING, PING], [PING]])
    content = whole.read_bytes()
    header = content.index(b"\x93\xa5chunk")
    sizes = data.draw(st.lists(st.integers(header, len(content)), max_size=8))
    writer = Writer(path)
    os.pwrite(writer._file, content[:header], 0)
    with kspy.open(path) as recording:
        assert is_being_written(recording._file.fileno())
        found = []
        at = header
        for size in [*sorted(sizes), len(content)]:
            os.pwrite(writer._file, content[at:size], at)
            at = max(at, size)
            once = iter([False, True])
            found = list(map(tell, recording.follow(partial(next, once), poll_seconds=0)))
            assert found == told[: len(found)]
            assert len(recording) == len(found)
        assert found == told
    writer.close()


KILLED = """
import sys, time
from kspy.recording.writer import Writer
writer = Writer(sys.argv[1])
number = 0
flushed = time.monotonic()
while True:
    writer.write(time.time_ns(), "shell", "to_kernel", [b"%d" % number, bytes(300)])
    number += 1
    if time.monotonic() - flushed > 0.1:
        writer.flush()
        flushed = time.monotonic()
        print(number, flush=True)
    time.sleep(0.0002)
"""


def test_kill_9_costs_what_was_not_yet_flushed(tmp_path: Path) -> None:
    path = tmp_path / "killed.kspy"
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        promised = [int(writing.stdout.readline()) for _ in range(4)]
        with kspy.open(path) as recording:
            assert recording.state == "growing"
        writing.send_signal(signal.SIGKILL)
        promised += map(int, writing.stdout.read().split())
    with kspy.open(path) as recording:
        assert recording.state == "cut"
        kept = [message.frames[0] for message in recording]
    assert kept == [b"%d" % number for number in range(len(kept))]
    assert len(kept) >= promised[-2]  # the last flush may still have been on its way
    repair(path, tmp_path / "fixed.kspy")
    assert len(read(tmp_path / "fixed.kspy")) == len(kept)


FULL = """
import random, resource, sys, time
from kspy.recording.writer import Writer
noise = random.Random(1).randbytes
errors = []
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
limit(200_000)
writer = Writer(sys.argv[1], on_error=errors.append)
for number in range(20):
    if number == 10 and sys.argv[2] == "later":
        while not errors:
            time.sleep(0.001)
        limit(100_000_000)
    size = 3_000_000 if number == 8 else 30_000
    writer.write(number, "shell", "to_kernel", [noise(size)])
    writer.flush()
writer.close()
print(writer.lost, errors)
"""


@pytest.mark.parametrize("room", ["later", "never"])
def test_a_full_disk(tmp_path: Path, room: str) -> None:
    path = tmp_path / "full.kspy"
    command = [sys.executable, "-c", FULL, str(path), room]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert f"{path}: not recording: File too large" in done.stdout
    told = only_messages(read(path))
    lost = int(done.stdout.split()[0])
    assert len(told) == 20 - lost
    noise = random.Random(1)
    sent = [noise.randbytes(3_000_000 if number == 8 else 30_000) for number in range(20)]
    assert all(message[4] == [sent[message[0]]] for message in told)
    with kspy.open(path) as recording:
        if room == "later":
            assert (recording.state, lost) == ("whole", 0)
            assert recording.events == []
        else:
            assert recording.state in ("whole", "cut")
            assert lost > 0
            assert all(event.name == "gap" for event in recording.events)
