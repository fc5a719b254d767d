"""What a tap is compared with: `zmq.proxy` between client and kernel, and no capture.

`python -m benchmarks.bare_proxy KERNEL_FILE CLIENT_FILE`. It lives while stdin is open.
"""

from __future__ import annotations

import sys
import threading

import zmq

from benchmarks.process import end_with_stdin
from kspy.tap.connection import load
from kspy.wire.frames import CHANNELS


def main(kernel_file: str, client_file: str) -> None:
    kernel, client = load(kernel_file), load(client_file)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    threads = []
    for channel in CHANNELS:
        iopub = channel == "iopub"
        front = context.socket(zmq.XPUB if iopub else zmq.ROUTER)
        back = context.socket(zmq.XSUB if iopub else zmq.DEALER)
        for socket in (front, back):
            socket.setsockopt(zmq.SNDHWM, 0)
            socket.setsockopt(zmq.RCVHWM, 0)
        front.bind(client.endpoint(channel))
        back.connect(kernel.endpoint(channel))
        threads.append(threading.Thread(target=zmq.proxy, args=(front, back)))
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    end_with_stdin()
    main(sys.argv[1], sys.argv[2])
