"""Ports that are reserved for a kernel go to that kernel, and to no other."""

from __future__ import annotations

import sys

import pytest
import zmq

from kspy.tap import ports
from kspy.tap.ports import ReservedPorts


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is reserved elsewhere")
def test_what_is_reserved_is_not_given_twice_and_a_kernel_can_listen_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [first, *_] = ReservedPorts(1).numbers
    monkeypatch.setattr(ports, "_FIRST", max(first - 50, ports._FIRST))
    monkeypatch.setattr(ports, "_LAST", max(first - 50, ports._FIRST) + 60)
    mine, others = ReservedPorts(5), ReservedPorts(1000)
    try:
        assert len(set(mine.numbers)) == 5
        assert not set(mine.numbers) & set(others.numbers)
        for _ in ("the kernel", "the same, started again"):
            with zmq.Context() as context:  # whose end waits until nobody listens any more
                sockets = [context.socket(zmq.ROUTER) for _ in mine.numbers]
                for socket, port in zip(sockets, mine.numbers, strict=True):
                    socket.bind(f"tcp://127.0.0.1:{port}")
                with pytest.raises(zmq.ZMQError), context.socket(zmq.ROUTER) as another:
                    another.bind(f"tcp://127.0.0.1:{mine.numbers[0]}")
                for socket in sockets:
                    socket.close(linger=0)
    finally:
        mine.close()
        others.close()
