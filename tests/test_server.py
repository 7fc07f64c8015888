"""The server's life cycle and its bounds, on a real process with an application of a few lines (tiny_site.py)."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.processes import PATIENCE, Process
from tests.services import free_port

MAX_FRAME = 200_000
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Tiny:
    """The running tiny site."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.process = Process([sys.executable, "-m", "tests.tiny_site", str(self.port), str(MAX_FRAME), *options])

    def connect(self, max_queue: int = 16) -> ClientConnection:
        url = f"ws://127.0.0.1:{self.port}/"
        return connect(url, max_size=None, max_queue=max_queue, compression=None, close_timeout=PATIENCE)


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    site = Tiny()
    site.process.line("http://")
    yield site
    if site.process.running:
        site.process.kill()


def close_code(client: ClientConnection) -> int | None:
    """Reads until the server closes."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(timeout=PATIENCE)
    return client.close_code


def test_starts_the_runner_before_the_first_client(tiny: Tiny) -> None:
    assert tiny.process.output[0] == "started"
    assert tiny.process.output[1] == f"http://127.0.0.1:{tiny.port}/"


def test_a_runner_that_cannot_start_ends_the_process() -> None:
    site = Tiny("--fail")
    assert site.process.wait() == 1
    assert not any("http://" in line for line in site.process.output)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_then_closes_with_4012(tiny: Tiny, number: signal.Signals) -> None:
    with tiny.connect() as client:
        client.send("hello")
        assert client.recv() == "hello"
        tiny.process.signal(number)
        tiny.process.line("draining for 7")
        client.send("still here")
        assert client.recv() == "still here"
        with pytest.raises(OSError, match="refused"):
            tiny.connect()
        client.send("finish")
        assert close_code(client) == 4012
    assert tiny.process.wait() == 0
    assert tiny.process.output[-2:] == ["drained", "disconnected with 4012"]


def test_a_second_signal_ends_the_draining(tiny: Tiny) -> None:
    with tiny.connect() as client:
        tiny.process.signal(signal.SIGTERM)
        tiny.process.line("draining")
        tiny.process.signal(signal.SIGTERM)
        assert close_code(client) == 4012
    assert tiny.process.wait() == 0
    assert "drained" not in tiny.process.output


def test_a_consumer_that_does_not_end_is_cancelled(tiny: Tiny) -> None:
    with tiny.connect() as client:
        client.send("hang")
        tiny.process.signal(signal.SIGTERM)
        tiny.process.line("draining")
        tiny.process.signal(signal.SIGTERM)
        assert close_code(client) == 4012
        tiny.process.line("cancelled")
    assert tiny.process.wait() == 0


def test_the_largest_frame_passes_and_a_larger_one_closes_only_its_own_connection(tiny: Tiny) -> None:
    with tiny.connect() as other, tiny.connect() as client:
        client.send("x" * MAX_FRAME)
        assert client.recv() == "x" * MAX_FRAME
        client.send("x" * (MAX_FRAME + 1))
        assert close_code(client) == 1009
        other.send("unharmed")
        assert other.recv() == "unharmed"


def test_who_reads_too_slowly_is_cut_off_with_4008(tiny: Tiny) -> None:
    with tiny.connect(max_queue=1) as client:
        client.send("flood")
        tiny.process.line("flooded")
        assert close_code(client) == 4008


def test_who_does_not_read_at_all_is_dropped(tiny: Tiny) -> None:
    # A bare socket: a client library reads ahead and answers the close by itself.
    with socket.create_connection(("127.0.0.1", tiny.port)) as bare:
        bare.sendall(HANDSHAKE)
        assert bare.recv(1024).startswith(b"HTTP/1.1 101")
        bare.sendall(b"\x81\x85\0\0\0\0flood")
        tiny.process.line("disconnected with 1006")


def test_one_large_answer_cuts_nobody_off(tiny: Tiny) -> None:
    with tiny.connect(max_queue=1) as client:
        client.send("large")
        client.send("after it")
        assert len(client.recv(timeout=PATIENCE)) == 20 * 1024 * 1024
        assert client.recv(timeout=PATIENCE) == "after it"
