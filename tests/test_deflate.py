"""permessage-deflate: large frames are compressed for clients that offer it, and nobody is harmed by one that does."""

from __future__ import annotations

import json
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import connect

from hermes_site import deflate
from tests.live import LiveSite
from tests.peers import Peer, token
from tests.processes import PATIENCE

TEXT = "as long as it takes, said once more. " * 200
KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
COMPRESSED, TEXT_FRAME, CLOSE = 0x40, 1, 8
# What a browser offers.
OFFER = "permessage-deflate; client_max_window_bits"


class Wire:
    """A WebSocket seen frame by frame, as it is on the wire."""

    def __init__(self, site: LiveSite, offer: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE)
        self._file = self.socket.makefile("rb")
        offered = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
        self.socket.sendall(
            f"GET /ws/chat/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{offered}"
            f"Authorization: {token(site)['authorization']}\r\n\r\n".encode()
        )
        lines = iter(self._file.readline, b"\r\n")
        self.head = dict(line.decode().strip().partition(": ")[::2] for line in lines)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def send(self, payload: bytes, head: int = TEXT_FRAME) -> None:
        """Send a frame, under a mask that changes nothing."""
        size = len(payload)
        length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
        self.socket.sendall(struct.pack("!B", 0x80 | head) + length + bytes(4) + payload)

    def ask(self, method: str, **params: Any) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).encode())

    def frame(self) -> tuple[int, bytes]:
        """Return the first byte of the next frame that is no ping, and its payload."""
        first, size = self._file.read(2)
        if size == 126:
            (size,) = struct.unpack("!H", self._file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._file.read(8))
        payload = self._file.read(size)
        return self.frame() if first & 0x0F == 9 else (first & 0x7F, payload)

    def answer(self, method: str) -> tuple[int, int, Any]:
        """Return whether the answer to a request came compressed, its bytes on the wire, and what it says."""
        while True:
            first, payload = self.frame()
            text = inflated(payload) if first & COMPRESSED else payload
            frame = json.loads(text)
            if frame.get("id") == method:
                return first & COMPRESSED, len(payload), frame["result"]


def inflated(payload: bytes) -> bytes:
    """A compressed frame, which needs none before it."""
    return zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")


@contextmanager
def wire(site: LiveSite, offer: str = "") -> Iterator[Wire]:
    opened = Wire(site, offer)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def site(lasting_site: LiveSite) -> LiveSite:
    return lasting_site


@pytest.fixture(scope="module")
def session_id(site: LiveSite) -> str:
    """A session with a long message."""
    with connect(site.ws_url, additional_headers=token(site), proxy=None) as opened:
        client = Peer(opened)
        made: str = client.call("session.create")["result"]["session"]["id"]
        client.call("session.open", session_id=made)
        client.call("turn.start", session_id=made, text=TEXT)
        client.until(lambda frame: frame["params"]["event"]["type"] == "RUN_FINISHED")
    return made


def test_a_large_frame_is_compressed_where_it_is_offered(site: LiveSite, session_id: str) -> None:
    with wire(site) as plain, wire(site, OFFER) as offering:
        for client in (plain, offering):
            client.ask("session.open", session_id=session_id)
        as_it_is, compressed = plain.answer("session.open"), offering.answer("session.open")
    assert "Sec-WebSocket-Extensions" not in plain.head
    assert offering.head["Sec-WebSocket-Extensions"] == "permessage-deflate; client_no_context_takeover"
    assert (as_it_is[0], compressed[0]) == (0, COMPRESSED)
    assert as_it_is[2]["messages"] == compressed[2]["messages"]
    assert compressed[1] < as_it_is[1] / 4


def test_a_small_frame_stays_as_it_is(site: LiveSite) -> None:
    with wire(site, OFFER) as client:
        client.ask("account.usage")
        assert client.answer("account.usage")[0] == 0


@pytest.mark.parametrize(
    ("size", "fits"),
    [(deflate.LEAST - 1, False), (deflate.LEAST, True), (deflate.MOST, True), (deflate.MOST + 1, False)],
)
def test_what_would_take_long_stays_as_it_is(size: int, fits: bool) -> None:
    assert deflate.fits(size) is fits


@pytest.mark.parametrize("bits", [9, 12, 15])
def test_a_frame_needs_no_more_window_than_the_client_has(site: LiveSite, session_id: str, bits: int) -> None:
    with wire(site, f"permessage-deflate; server_max_window_bits={bits}") as client:
        client.ask("session.open", session_id=session_id)
        first, payload = client.frame()
        text = zlib.decompressobj(-bits).decompress(payload + b"\x00\x00\xff\xff")
    assert first & COMPRESSED
    assert json.loads(text)["id"] == "session.open"


def test_a_compressed_request_is_carried_out(site: LiveSite) -> None:
    with connect(site.ws_url, additional_headers=token(site), proxy=None) as opened:
        client = Peer(opened)
        for number in range(3):
            title = f"{number} {'compressed ' * 15}"[:200].strip()
            assert client.call("session.create", title=title)["result"]["session"]["title"] == title


def test_a_frame_that_grows_beyond_the_limit_closes_the_connection(site: LiveSite) -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = (compressor.compress(b"a" * 20_000_000) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(bomb) < 65_536
    with wire(site, OFFER) as client:
        client.send(bomb, COMPRESSED | TEXT_FRAME)
        first, payload = client.frame()
    assert (first, struct.unpack("!H", payload[:2])) == (CLOSE, (1009,))


def test_a_frame_that_is_no_deflate_closes_the_connection(site: LiveSite) -> None:
    with wire(site, OFFER) as client:
        client.send(b"\xff" * 100, COMPRESSED | TEXT_FRAME)
        first, payload = client.frame()
    assert (first, struct.unpack("!H", payload[:2])) == (CLOSE, (1007,))


def test_a_text_as_long_as_allowed_may_come_compressed(site: LiveSite) -> None:
    with connect(site.ws_url, additional_headers=token(site), proxy=None) as opened:
        client = Peer(opened)
        made = client.call("session.create")["result"]["session"]["id"]
        assert "result" in client.call("turn.start", session_id=made, text="a" * 200_000)
        assert client.call("turn.start", session_id=made, text="a" * 200_001)["error"]["code"] == -32002
