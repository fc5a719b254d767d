"""Launch the kernel below before all else, then stand in for it; see `kspy.tap.wrapper`."""

from __future__ import annotations

import contextlib
import sys

from kspy.errors import KspyError
from kspy.tap.wrapper.arguments import parse
from kspy.tap.wrapper.frontend import load
from kspy.tap.wrapper.inner import InnerKernel
from kspy.tap.wrapper.signals import Signals, die_as
from kspy.tap.wrapper.spec import read

_NOT_DONE = 2


def main() -> int:
    """Run to the kernel's end; the status to end with. Raises `KspyError` if that cannot be."""
    signals = Signals()
    arguments = parse(sys.argv[1:])
    spec = read(arguments.folder, arguments.kernel)
    frontend = load(arguments.connection_file)
    kernel = InnerKernel(spec, frontend)
    signals.forward_to(kernel.pid)
    try:
        from kspy.tap.wrapper.session import Session

        # The recorder shares the interpreter with nobody who could keep it waiting for long.
        sys.setswitchinterval(0.0001)
        connection = kernel.connection()
        if connection is None:
            return kernel.wait()
        return Session(arguments, frontend, kernel, signals).run(connection)
    except BaseException:
        kernel.kill()
        raise
    finally:
        signals.forward_to(0)
        kernel.close()


if __name__ == "__main__":
    try:
        status = main()
    except Exception as error:
        line = str(error) if isinstance(error, KspyError) else f"internal error: {error!r}"
        status = _NOT_DONE
        with contextlib.suppress(OSError, ValueError):  # where nothing can be said, it is not
            sys.stderr.write(f"kspy: {line}\n")
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    die_as(status)
