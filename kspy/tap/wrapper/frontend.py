"""What the frontend gave the kernel: a connection file, or (protocol 5.6) a registration file.

Rules: jupyter_client's documentation, "Connection file format" and "Registration file format".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kspy.errors import KspyError
from kspy.tap.connection import Connection, Transport, parse, read_values
from kspy.wire.frames import CHANNELS

_PORTS: Final = [f"{channel}_port" for channel in CHANNELS]
_SHARED: Final = ("transport", "key", "signature_scheme")
_KERNEL_FILE: Final = re.compile(r"kernel-([0-9a-f]{8}-[0-9a-f-]+)\.json")


@dataclass(frozen=True)
class Registration:
    """Where a kernel tells the ports that it chose."""

    kernel_id: str
    transport: Transport
    ip: str
    port: int

    @property
    def endpoint(self) -> str:
        separator = ":" if self.transport == "tcp" else "-"
        return f"{self.transport}://{self.ip}{separator}{self.port}"


@dataclass(frozen=True)
class Frontend:
    """Where clients will connect; ports are 0 where `registration` wants to be told them."""

    client: Connection
    kernel_id: str = ""
    registration: Registration | None = None


def load(path: str) -> Frontend:
    """Read either file. Raises `KspyError`."""
    values = read_values(path)
    if "registration_port" not in values:
        named = _KERNEL_FILE.fullmatch(Path(path).name)
        return Frontend(parse(values, path), named[1] if named else "")
    ip, port = values.get("registration_ip", "127.0.0.1"), values["registration_port"]
    if not isinstance(ip, str) or not str(port).isdecimal() or not 0 < int(port) < 65536:
        raise KspyError(f"{path}: is no registration file: its ip or port is wrong")
    # Its other keys are those of a connection file; the ports are not chosen yet.
    known = {name: values[name] for name in _SHARED if name in values}
    client = parse({"ip": ip} | known | dict.fromkeys(_PORTS, 1), path)
    client = replace(client, ports=dict.fromkeys(CHANNELS, 0))
    kernel_id = str(values.get("kernel_id", ""))
    registration = Registration(kernel_id, client.transport, ip, int(port))
    return Frontend(client, kernel_id, registration)
