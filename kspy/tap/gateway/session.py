"""A tap of a server from beginning to end: listening, relaying, recording, ending."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from kspy.errors import KspyError
from kspy.tap.client import ClientProcess
from kspy.tap.clock import Clock
from kspy.tap.ending import Ending
from kspy.tap.gateway.link import Desk
from kspy.tap.gateway.naming import Naming
from kspy.tap.gateway.options import GatewayOptions, GatewayOutcome, GatewayScreen
from kspy.tap.gateway.recorder import Recorder
from kspy.tap.gateway.upstream import is_loopback
from kspy.tap.metadata import describe
from kspy.tap.terminal import remember

_POLL_SECONDS: Final = 0.25
_REFUSALS: Final = {
    401: "clients need the token or password that they need without kspy, which adds none",
    403: "it needs a token or password, which kspy does not add, or allows no client that calls"
    " it by this host or comes from this origin; its own log says which",
}


async def run(options: GatewayOptions, screen: GatewayScreen) -> GatewayOutcome:
    """Tap until the user ends it.

    Raises `KspyError` if the server cannot be reached, the recordings' folder cannot be used, or
    nobody can listen at the address.
    """
    await options.upstream.check()
    _check_folder(options)
    ending = Ending(has_client=False)
    with ending.on_signals():
        return await _Session(options, screen, ending).run()


class _Session:
    def __init__(self, options: GatewayOptions, screen: GatewayScreen, ending: Ending) -> None:
        self._options = options
        self._screen = screen
        self._ending = ending
        self._clock = Clock()
        upstream = options.upstream
        self._recorder = Recorder(
            options.folder, options.limits, self._header, self._clock.now, screen.warn
        )
        naming = Naming(upstream, anywhere=not is_loopback(options.host))
        self._desk = Desk(
            upstream,
            self._recorder,
            naming.rename if naming.is_needed else None,
            on_refusal=self._on_refusal,
            on_away=self._on_away,
        )
        self._refusals: set[int] = set()
        self._away = ""
        self._viewer: ClientProcess | None = None
        self._restore_terminal = remember()

    async def run(self) -> GatewayOutcome:
        async with self._listening() as port:
            self._recorder.start()
            reason = "failed"
            try:
                self._say_ready(port)
                reason = await self._watch()
            finally:
                self._break_off()
                await asyncio.to_thread(self._recorder.stop, reason)
        await self._viewer_quit()
        recorder, status = self._recorder, self._recorder.status
        failed = recorder.failed or recorder.lost
        return GatewayOutcome(
            reason, 2 if failed else 0, status.files, status.messages, recorder.lost
        )

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[int]:
        """Take connections; gives the port."""
        host, port = self._options.host, self._options.port
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self._desk.accept, host, port)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise KspyError(f"--listen: cannot listen at {host}:{port}: {why}") from error
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    def _header(self, kernel_id: str, kernel_name: str) -> Mapping[str, Any]:
        url = self._options.upstream.url
        return {**describe(kernel_name, {}), "gateway": url, "kernel_id": kernel_id}

    def _say_ready(self, port: int) -> None:
        options, screen = self._options, self._screen
        host = f"[{options.host}]" if ":" in options.host else options.host
        if not is_loopback(options.host):
            screen.warn(
                f"others on the network can reach the server through {host}:{port}, unencrypted"
            )
        path = options.upstream.path or "/"
        screen.say(f"recording the kernels of {options.upstream.url} to {options.folder}")
        screen.say(f"connect to: http://{host}:{port}{path} (end with Ctrl-C)")

    async def _watch(self) -> str:
        """Wait for the end; why it came."""
        if self._options.viewer_command:
            self._screen.hold()
            self._viewer = await ClientProcess.start(self._options.viewer_command, "")
        while not self._ending.asked:
            self._screen.show_traffic(self._recorder.status)
            if self._viewer and self._viewer.exit_code is not None:
                code, self._viewer = self._viewer.exit_code, None
                if code == 0:
                    self._screen.release()
                    return "the viewer was quit"
                self._restore_terminal()
                self._screen.release()
                self._screen.warn(f"the viewer ended with exit code {code}; the tap goes on")
            step = self._clock.check()
            if step:
                self._recorder.clock_changed(step)
            await self._ending.wait(_POLL_SECONDS)
        return self._ending.reason

    async def _viewer_quit(self) -> None:
        """A signal that ends the tap ends the viewer too."""
        if self._viewer:
            await self._viewer.end()
            if self._viewer.exit_code:
                self._restore_terminal()
            self._screen.release()

    def _break_off(self) -> None:
        for link in list(self._desk.links):
            link.break_off()

    def _on_refusal(self, status: int) -> None:
        if status in self._refusals:
            return
        self._refusals.add(status)
        self._screen.warn(f"the server refused a request ({status}): {_REFUSALS[status]}")

    def _on_away(self, why: str) -> None:
        if why != self._away:
            self._screen.warn(f"{why} (clients are told: 502)")
        self._away = why


def _check_folder(options: GatewayOptions) -> None:
    folder = options.folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KspyError(f"{folder}: cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise KspyError(f"{folder}: cannot be written to")
