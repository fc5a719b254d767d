"""Where a kernel's five channels are: what a connection file says.

Rule: jupyter_client's documentation, "Connection files". The key and the CurveZMQ keys that are
in it are kept out of every `repr`, and are only ever written to a connection file, mode 0600.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from kspy.errors import KspyError
from kspy.wire.frames import CHANNELS, Channel
from kspy.wire.signature import SignatureChecker

_LONGEST: Final = 1 << 20

Transport = Literal["tcp", "ipc"]

_Z85_KEY = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_OWN_KEYS = {
    "transport",
    "ip",
    "key",
    "signature_scheme",
    "curve_publickey",
    "curve_secretkey",
    *(f"{channel}_port" for channel in CHANNELS),
}


@dataclass(frozen=True)
class CurveKeys:
    """A CurveZMQ key pair, Z85; both sides of a kernel use the same one."""

    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Connection:
    """What a connection file says. `ip` is, for ipc, the path that the port numbers follow."""

    transport: Transport
    ip: str
    ports: Mapping[Channel, int]
    key: bytes = field(repr=False)
    signature_scheme: str
    curve: CurveKeys | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def endpoint(self, channel: Channel) -> str:
        """The channel's ZeroMQ address."""
        separator = ":" if self.transport == "tcp" else "-"
        return f"{self.transport}://{self.ip}{separator}{self.ports[channel]}"

    def write(self, path: str) -> None:
        """Write a connection file, readable by its owner alone."""
        values: dict[str, Any] = {
            **{f"{channel}_port": port for channel, port in self.ports.items()},
            "ip": self.ip,
            "key": self.key.decode(),
            "transport": self.transport,
            "signature_scheme": self.signature_scheme,
            **self.extra,
        }
        if self.curve:
            values["curve_publickey"] = self.curve.public
            values["curve_secretkey"] = self.curve.secret
        try:
            write_private(Path(path), json.dumps(values, indent=2))
        except OSError as error:
            raise KspyError(
                f"{path}: the connection file cannot be written: {error.strerror}"
            ) from error


def write_private(path: Path, content: str) -> None:
    """Write a new file that its owner alone can read, in place of one that is there."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(content)


def parse(values: Mapping[str, Any], source: str) -> Connection:
    """Check what a connection file says. Raises `KspyError` naming `source`."""
    ports: dict[Channel, int] = {}
    for channel in CHANNELS:
        port = values.get(f"{channel}_port")
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
            raise KspyError(f"{source}: is no connection file: {channel}_port is missing or wrong")
        ports[channel] = port
    transport, ip = values.get("transport", "tcp"), values.get("ip", "127.0.0.1")
    key, scheme = values.get("key", ""), values.get("signature_scheme", "hmac-sha256")
    if transport not in ("tcp", "ipc") or not isinstance(ip, str):
        raise KspyError(f"{source}: transport {transport!r} is not one of tcp, ipc")
    key = key.encode() if isinstance(key, str) else key
    if not isinstance(key, bytes):
        raise KspyError(f"{source}: is no connection file: its key is no text")
    try:
        SignatureChecker(key, scheme)
    except (ValueError, TypeError, AttributeError) as error:
        raise KspyError(f"{source}: signature_scheme {scheme!r} is not known") from error
    curve = _parse_curve(values.get("curve_publickey"), values.get("curve_secretkey"), source)
    extra = {name: value for name, value in values.items() if name not in _OWN_KEYS}
    return Connection(transport, ip, ports, key, scheme, curve, extra)


def _parse_curve(public: object, secret: object, source: str) -> CurveKeys | None:
    if not public or not secret:
        return None
    keys = [value.encode() if isinstance(value, str) else value for value in (public, secret)]
    if not all(isinstance(key, bytes) and _Z85_KEY.fullmatch(key) for key in keys):
        raise KspyError(f"{source}: its CurveZMQ keys are not 40 characters of Z85 each")
    return CurveKeys(*(bytes(key).decode() for key in keys if isinstance(key, bytes)))


def load(path: str) -> Connection:
    """Read a connection file. Raises `KspyError`."""
    return parse(read_values(path), path)


def read_values(path: str) -> dict[str, Any]:
    """What a connection or registration file says, unchecked. Raises `KspyError`."""
    try:
        with Path(path).open("rb") as file:
            values = json.loads(file.read(_LONGEST))  # not all of /dev/zero
    except OSError as error:
        raise KspyError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise KspyError(f"{path}: is no connection file: it is not JSON") from error
    if not isinstance(values, dict):
        raise KspyError(f"{path}: is no connection file: it is not a JSON object")
    return values


def find(name: str) -> str:
    """The connection file that `name`, a path or a part of a file's name, stands for."""
    # Here, because a kernel's start should not wait for this import.
    from jupyter_client.connect import find_connection_file
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        return str(find_connection_file(name, [".", jupyter_runtime_dir()]))
    except OSError as error:
        runtime = Path(jupyter_runtime_dir())
        there = sorted(runtime.glob("kernel-*.json"), key=os.path.getmtime)[-5:]
        names = ", ".join(path.name for path in there) or "none"
        raise KspyError(
            f"{name}: no such connection file, here or in {runtime} (there: {names})"
        ) from error
