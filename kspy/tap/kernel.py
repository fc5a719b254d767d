"""The kernel behind a tap: one that the tap launches, or one that runs already."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import IO, Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from kspy.errors import KspyError
from kspy.tap.connection import Connection, Transport, parse
from kspy.tap.guardian import Guardian
from kspy.tap.metadata import describe_kernel
from kspy.tap.ports import ReservedPorts
from kspy.tap.spec_of import spec_of
from kspy.tap.status import describe_status
from kspy.wire.frames import CHANNELS

_TAIL_LINES = 20


class LaunchedKernel:
    """A kernel that the tap starts, watches, and shuts down.

    Its connection file lies in a folder of its own, so that clients find only the tap's.
    """

    def __init__(
        self,
        name: str,
        *,
        transport: Transport = "tcp",
        curve: bool = False,
        on_output: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Raises `KspyError` if there is no such kernel. `on_output` gets its lines of output."""
        self.name = name
        self._on_output = on_output
        self._curve = curve
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._reader: threading.Thread | None = None
        self.spec = spec_of(name)
        folder = tempfile.mkdtemp(prefix="kspy-")
        self._guardian: Guardian | None = Guardian(folder)
        self._manager = AsyncKernelManager(
            kernel_name=name,
            transport=transport,
            connection_file=str(Path(folder) / "kernel.json"),
        )
        self._ports = ReservedPorts(len(CHANNELS) if transport == "tcp" else 0)
        if len(ports := self._ports.numbers) == len(CHANNELS):
            self._manager.cache_ports = False
            for channel, port in zip(CHANNELS, ports, strict=True):
                setattr(self._manager, f"{channel}_port", port)

    async def start(self) -> Connection:
        """Start it. Raises `KspyError` if it cannot be started at all."""
        options = {"transport_encryption": "required"} if self._curve else {}
        try:
            await self._manager.start_kernel(stdout=PIPE, stderr=STDOUT, **options)
        except Exception as error:  # a provisioner may raise anything
            # a provisioner may do without a command; Jupyter's own says "list index out of range"
            why = error if self.spec.argv else f"its kernelspec has no command ({error})"
            raise KspyError(f"kernel {self.name}: cannot be started: {why}") from error
        self._look_after()
        values = self._manager.get_connection_info() | {"kernel_name": self.name}
        return parse(values, f"kernel {self.name}")

    async def restart(self) -> None:
        """Start it again, on the same ports, after it ended."""
        await self._manager.restart_kernel(now=True)
        self._look_after()

    def description(self) -> Mapping[str, Any]:
        """What a recording says of it."""
        spec = self.spec
        return describe_kernel(spec.display_name, spec.language, spec.interrupt_mode, spec.argv)

    @property
    def started(self) -> dict[str, Any]:
        """What the event says that it was started."""
        return {"kernel_name": self.name, "pid": self.pid, **self.description()}

    @property
    def pid(self) -> int | None:
        return getattr(self._manager.provisioner, "pid", None)

    async def ended(self) -> Mapping[str, Any] | None:
        """How it ended, as {"exit_status": n} or {"signal": name}; None while it runs."""
        provisioner = self._manager.provisioner
        status = await provisioner.poll() if provisioner else 0
        return None if status is None else describe_status(status)

    async def interrupt(self) -> str:
        """Interrupt it as its kernelspec wants it; how that was done."""
        await self._manager.interrupt_kernel()
        return str(self.spec.interrupt_mode)

    async def shut_down(self) -> Mapping[str, Any] | None:
        """End it, politely first, and clean up after it; how it ended, None the second time."""
        if not self._guardian:
            return None
        guardian, self._guardian = self._guardian, None
        process = getattr(self._manager.provisioner, "process", None)
        try:
            if self._manager.has_kernel:
                await self._manager.shutdown_kernel()
            if self._reader:
                await asyncio.to_thread(self._reader.join, 1)
        finally:
            guardian.dismiss()
            self._ports.close()
        status = getattr(process, "returncode", None)
        return None if status is None else describe_status(status)

    @property
    def last_output(self) -> str:
        """The last line that it printed, or ""."""
        return next((line for line in reversed(self._tail) if line.strip()), "")

    def _look_after(self) -> None:
        """Read what its process prints, and let it not outlive this one."""
        provisioner = self._manager.provisioner
        # Another one may give numbers of processes on another machine.
        if self._guardian and isinstance(provisioner, LocalProvisioner) and provisioner.pid:
            self._guardian.watch(provisioner.pid)  # which is its group's number, too
        self._read_output()

    def _read_output(self) -> None:
        # The pipe must be emptied whatever happens, or the kernel would block on its own output.
        process = getattr(self._manager.provisioner, "process", None)
        if process is not None and process.stdout is not None:
            self._reader = threading.Thread(
                target=self._pump, args=(process.stdout,), name="kspy-output", daemon=True
            )
            self._reader.start()

    def _pump(self, stream: IO[bytes]) -> None:
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\n")
                self._tail.append(line)
                self._on_output(line)
