"""A server that sends a byte at a time: no time-out for the next byte ever ends that."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress

from tests.processes import PATIENCE

HANDSHAKE = b"\x16\x03\x03\x3f\xff"
"""The head of a record of TLS that is 16 kB long."""
HEAD, BODY = b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


class Dripping:
    """Sends ``first`` at once, and then a byte at a time, until its client has gone: that sets ``left``."""

    def __init__(self, first: bytes) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.left = threading.Event()
        self._thread = threading.Thread(target=self._drip, args=(first,))
        self._thread.start()

    def _drip(self, first: bytes) -> None:
        with suppress(OSError), closing(self._listening.accept()[0]) as client:
            client.recv(10_000)
            client.sendall(first)
            while not self.left.wait(0.02):
                client.sendall(b"x")
        self.left.set()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.left.set()
        self._thread.join(PATIENCE)
