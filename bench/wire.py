"""The least that a WebSocket client can do, so that thousands of them leave the cores to the host.

A library's client spends some 50 us on a frame; this one spends five, because it knows its server: frames come
whole and unmasked. What it sends is masked with zeros, which leaves the bytes as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FINAL, _MASKED = 0x80, 0x80
_MASK = bytes(4)


class Refused(Exception):
    """The handshake was not answered with 101; the message is what was."""


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame as a client sends it."""
    size = len(payload)
    head = bytes([_FINAL | opcode])
    if size < 126:
        return head + bytes([_MASKED | size]) + _MASK + payload
    if size < 65_536:
        return head + bytes([_MASKED | 126]) + size.to_bytes(2) + _MASK + payload
    return head + bytes([_MASKED | 127]) + size.to_bytes(8) + _MASK + payload


class Wire(asyncio.Protocol):
    """One connection; `heard` gets each text frame. `opened` is done after the handshake, `closed` with the close code.

    The close code is 1006 where the connection ended without one.
    """

    def __init__(self, request: bytes, heard: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self._request = request
        self._heard = heard
        self._received = bytearray()
        self._code = 1006

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.opened.done() and not self._open():
            return
        at = 0
        while (end := self._take(at)) > at:
            at = end
        del self._received[:at]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(Refused("connection lost"))
        if not self.closed.done():  # a cancelled task that waited for it has cancelled it
            self.closed.set_result(self._code)

    def send(self, text: str) -> None:
        """Send a text frame."""
        self.transport.write(frame(_TEXT, text.encode()))

    async def close(self) -> None:
        """Say goodbye, and return when the server has hung up."""
        if not self.closed.done():
            self.transport.write(frame(_CLOSE, (1000).to_bytes(2)))
        await self.closed

    def _open(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(self._received[: self._received.find(b"\r\n")])
        del self._received[: end + 4]
        if b" 101 " in status:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(Refused(status.decode("latin1")))
        return True

    def _take(self, at: int) -> int:
        """Take in the frame that begins at `at`, if it is whole; return where the next one begins."""
        data = self._received
        begin = at + 2
        if len(data) < begin:
            return at
        size = data[at + 1]
        if size >= 126:
            begin += 2 if size == 126 else 8
            size = int.from_bytes(data[at + 2 : begin])
        if len(data) < begin + size:
            return at
        self._act(data[at] & 15, bytes(data[begin : begin + size]))
        return begin + size

    def _act(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT:
            self._heard(payload)
        elif opcode == _PING:
            self.transport.write(frame(_PONG, payload))
        elif opcode == _CLOSE:
            self._code = int.from_bytes(payload[:2])
            self.transport.write(frame(_CLOSE, payload[:2]))


async def connect(url: str, login: str, heard: Callable[[bytes], None], path: str = "/ws/chat/") -> Wire:
    """Connect to the host at `url`; `login` is the header that says who asks. Raises Refused."""
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"{login}\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(request, heard), address.hostname, address.port)
    await wire.opened
    return wire
