"""A file that is either there whole or not at all.

It is written under another name in the same folder, and takes its own when it is complete. So an
export that is cancelled or fails leaves nothing behind, and what it was to replace is still there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from kspy.errors import KspyError
from kspy.recording.lock import is_being_written
from kspy.recording.reader import Recording


@contextlib.contextmanager
def whole_file(
    path: str | os.PathLike[str], source: Recording | None = None, *, overwrite: bool = False
) -> Iterator[Path]:
    """Where to write what shall be at `path`: a new and empty file, mode 0600.

    source      the recording that is exported, never to be written over
    overwrite   may there be a file already?

    Raises `KspyError`, in one line, if that file cannot be, and if it cannot take its name.
    """
    target = Path(path)
    check_target(target, source, overwrite=overwrite)
    final = Path(os.path.realpath(target))  # writing over a link means: over what it leads to
    temporary = final.with_name(f".kspy-{secrets.token_hex(6)}.part")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise KspyError(f"{target}: cannot be written: {error.strerror}") from error
    try:
        yield temporary
        _rename(temporary, final, target, overwrite=overwrite)
    except OSError as error:
        raise KspyError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_target(target: Path, source: Recording | None = None, *, overwrite: bool = False) -> None:
    """Raises `KspyError` where `target` is something that must not be written over."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise KspyError(f"{target}: cannot be written: {error.strerror}") from error
    except ValueError as error:  # a NUL in it
        raise KspyError(f"{target}: cannot be written: {error}") from error
    if source is not None and _is_file_of(source, found):
        raise KspyError(f"{target}: is the recording itself; name another file")
    if not stat.S_ISREG(found.st_mode):
        raise KspyError(f"{target}: cannot be written: it is no regular file")
    if not overwrite:
        raise KspyError(f"{target}: exists already")
    with contextlib.suppress(OSError), target.open("rb") as file:
        if is_being_written(file.fileno()):
            raise KspyError(f"{target}: another kspy is recording to it")


def _is_file_of(source: Recording, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(found, Path(source.path).stat())
    except OSError:  # it is not there any more
        return False


def _rename(temporary: Path, final: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(final)
        return
    try:
        os.link(temporary, final)  # unlike a rename, it fails if there is a file by now
    except FileExistsError as error:
        raise KspyError(f"{target}: exists already") from error
    except OSError:  # a file system without links
        if final.exists():
            raise KspyError(f"{target}: exists already") from None
        temporary.rename(final)
