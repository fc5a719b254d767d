"""kspy records what Jupyter clients and kernels say to each other, and reads it back.

``kspy.open(path)`` is the whole API of a recording:

    with kspy.open("session.kspy") as recording:
        for message in recording:
            print(message.seq, message.channel, message.msg_type, message.content)

``kspy.select(recording, filter)`` gives the messages that a filter lets through, in the language
of docs/filter.md:

        for message in kspy.select(recording, "type:execute_* error"):
            print(message.content["ename"])

``kspy.diff(a, b)`` compares two recordings, as docs/diff.md says:

        assert kspy.diff("before.kspy", "after.kspy").same

``kspy.connect(...)`` speaks to a kernel, over ZeroMQ or through a Jupyter server:

    async with kspy.connect(kernel="python3") as kernel:
        async for message in await kernel.request("execute_request", {"code": "1 + 1"}):
            print(message.channel, message.msg_type, message.content)

``kspy.replay_to(...)`` sends a kernel what a recording's clients sent, and compares:

    assert kspy.replay_to("session.kspy", kernel="python3").same
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kspy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from kspy.export.compared.report import Report
    from kspy.recording.reader import Recording
    from kspy.replay.client.result import Replayed
    from kspy.speak.connect import Target
    from kspy.speak.kernel import Kernel
    from kspy.wire.message import Message

__all__ = ["__version__", "connect", "diff", "open", "replay_to", "select"]


def open(path: str | os.PathLike[str]) -> Recording:  # noqa: A001 (the API's fixed name)
    """Open the recording at `path` for reading; use it as a context manager.

    Works on finished recordings, on ones still being written and on ones cut short.
    Raises `kspy.errors.KspyError` (one line) if the file cannot be read as a recording.
    """
    from kspy.recording.reader import Recording

    return Recording(path)


def select(recording: Recording, filter: str) -> Iterator[Message]:  # noqa: A002 (what it is)
    """The messages of `recording` that `filter` lets through, in order; all for "".

    Of a recording that is still being written: those that are there now. They are found while
    they are taken, so what matches early comes early. Raises `kspy.errors.KspyError` if there is
    a mistake in the filter, at once; the exception's `start` and `stop` say where.
    """
    from kspy.analysis.filter import parse
    from kspy.analysis.filter.select import messages

    return messages(recording, parse(filter))


def diff(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    ignore: Sequence[str] = (),
    strict: bool = False,
    factor: float | None = None,
    only: str = "",
) -> Report:
    """Compare the session recorded in `b` with the one in `a`, request by request.

    ignore   what does not count, beside what varies by nature: places in messages, as
             `content.data["text/html"]`; `/regular expressions/`; names of rules, as "counts"
    strict   nothing varies by nature: everything counts but what `ignore` names
    factor   a thread that takes so many times as long, either way, is a difference
    only     a filter: only threads of which a message matches

    The result has `same`, `threads`, `counts` and `notes`; `str` of it is text for people. Raises
    `kspy.errors.KspyError` if a file cannot be read, or `ignore` or `only` has a mistake.
    """
    from kspy.analysis.filter import parse
    from kspy.analysis.filter.select import whole_table
    from kspy.analysis.sameness.align import chosen_by
    from kspy.analysis.sameness.rules import Rules
    from kspy.export.compared.report import report

    rules = (Rules.strict if strict else Rules.usual)(ignore)
    wanted = parse(only) if only else None
    with open(a) as old, open(b) as new:
        tables = whole_table(old), whole_table(new)
        chosen = chosen_by(wanted, *tables) if wanted else None
        return report(*tables, rules, only=chosen, factor=factor)


def connect(
    existing: str | os.PathLike[str] | None = None,
    *,
    kernel: str | None = None,
    gateway: str | None = None,
    kernel_id: str | None = None,
    token: str | None = None,
    ca: str | os.PathLike[str] | None = None,
    insecure: bool = False,
    record: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> AbstractAsyncContextManager[Kernel]:
    """Connect to a kernel; `async with` it to get a `kspy.speak.kernel.Kernel`.

    existing    a kernel that runs here: its connection file, or a part of the file's name in
                Jupyter's runtime folder. It goes on running afterwards. Default: the latest
    kernel      start this kernel, by its kernelspec's name, and end it afterwards
    gateway     URL of a Jupyter Server or Kernel Gateway. It starts the kernel, or its default
                one, and deletes it afterwards; with `kernel_id` it is one that runs, and goes on
    token       of the gateway. Default: `?token=` of the URL, then the environment's
                `JUPYTER_TOKEN`, then `JUPYTER_GATEWAY_AUTH_TOKEN`
    ca          for a gateway with `https:`, a file of certificates to trust (PEM); `insecure`
                trusts any. Default: those that the system, or `SSL_CERT_FILE`, trusts
    record      make a recording there of all that goes over this connection; `overwrite` says
                that there may be a file already

    Raises `kspy.errors.KspyError`, on entering, where there is no such kernel or server.
    """
    from kspy.speak.connect import open_kernel

    target = _target(
        (existing, ca, record),
        kernel=kernel,
        gateway=gateway,
        kernel_id=kernel_id,
        token=token,
        insecure=insecure,
        overwrite=overwrite,
    )
    return open_kernel(target)


def replay_to(
    path: str | os.PathLike[str],
    existing: str | os.PathLike[str] | None = None,
    *,
    kernel: str | None = None,
    gateway: str | None = None,
    kernel_id: str | None = None,
    token: str | None = None,
    ca: str | os.PathLike[str] | None = None,
    insecure: bool = False,
    speed: float | None = None,
    only: str = "",
    repeat: int = 1,
    timeout: float | None = 60.0,
    ignore: Sequence[str] = (),
    strict: bool = False,
    factor: float | None = None,
    record: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Replayed:
    """Send a kernel what the clients of the recording at `path` sent; how what came compares.

    The kernel, `record` and `overwrite` are as in `connect`; one is to be named. It returns when
    all is done: `print` the result for what `kspy replay` prints.

    speed      a multiple of the recorded pace, 1.0: as it was. Default: each message as soon as
               what its client had waited for has come
    only       a filter (docs/filter.md): only threads of client's messages that it lets through
    repeat     run it so many times, and say what is not stable
    timeout    seconds after which a kernel that does not answer is given up; None: never
    ignore, strict, factor   what does not count, and whether time does, as in `diff`

    Raises `kspy.errors.KspyError` where it cannot be done. Where only a later one of several
    runs cannot be made, the result has those before it, is not `same`, and its `notes` say why. A
    kernel that hangs, dies or says something else is no error: see `same`, and `runs`.
    """
    from pathlib import Path

    from kspy.analysis.filter import parse
    from kspy.analysis.sameness.rules import Rules
    from kspy.errors import KspyError
    from kspy.replay.client.pacing import Pace
    from kspy.replay.client.replaying import Plan
    from kspy.replay.client.result import replayed

    if existing is None and kernel is None and gateway is None:
        raise KspyError("say which kernel: existing, kernel or gateway")
    target = _target(
        (existing, ca, record),
        kernel=kernel,
        gateway=gateway,
        kernel_id=kernel_id,
        token=token,
        insecure=insecure,
        overwrite=overwrite,
    )
    rules = (Rules.strict if strict else Rules.usual)(ignore)
    wanted = parse(only) if only else None
    plan = Plan(target, rules, Pace(speed, timeout), wanted, repeat, factor, strict)
    return replayed(Path(path), plan)


def _target(paths: Sequence[str | os.PathLike[str] | None], **others: Any) -> Target:
    """`paths` are `existing`, `ca` and `record`."""
    from kspy.speak.connect import Target

    existing, ca, record = (None if path is None else os.fspath(path) for path in paths)
    return Target(existing=existing, ca=ca, record=record, **others)
