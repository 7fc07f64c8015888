"""The server's life cycle and its bounds, on a real process with an application of a few lines (tiny_site.py)."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.processes import PATIENCE, ROOT, Process
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

    def connect(self) -> ClientConnection:
        url = f"ws://127.0.0.1:{self.port}/"
        return connect(url, max_size=None, compression=None, proxy=None)


@contextmanager
def running() -> Iterator[Tiny]:
    site = Tiny()
    site.process.line("http://")
    yield site
    if site.process.running:
        site.process.kill()


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    """A site of the test's own, which may end it."""
    with running() as site:
        yield site


@pytest.fixture(scope="module")
def lasting() -> Iterator[Tiny]:
    """The site of tests that leave nothing behind."""
    with running() as site:
        yield site


def close_code(client: ClientConnection) -> int | None:
    """Reads until the server closes."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(timeout=PATIENCE)
    return client.close_code


def test_starts_the_runner_before_the_first_client(tiny: Tiny) -> None:
    assert tiny.process.output[0] == "started"
    assert tiny.process.output[1] == f"http://127.0.0.1:{tiny.port}/"


def test_the_event_loop_is_uvloop() -> None:
    """Else some import has chosen another one first, and every turn costs more without a word."""
    code = "import hermes_site.server; from twisted.internet import reactor; print(reactor._asyncioEventloop)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    assert "uvloop.Loop" in said.stdout


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


@pytest.mark.thorough
def test_a_pending_handshake_keeps_no_open_client_from_being_closed_with_4012(tiny: Tiny) -> None:
    with socket.create_connection(("127.0.0.1", tiny.port)) as pending:
        pending.sendall(HANDSHAKE.replace(b"GET /", b"GET /pending"))
        tiny.process.line("pending")
        with tiny.connect() as client:
            client.send("finish")
            tiny.process.signal(signal.SIGTERM)
            assert close_code(client) == 4012
        tiny.process.line("cancelled")
        assert tiny.process.wait() == 0


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


def test_the_largest_frame_passes_and_a_larger_one_closes_only_its_own_connection(lasting: Tiny) -> None:
    with lasting.connect() as other, lasting.connect() as client:
        client.send("x" * MAX_FRAME)
        assert client.recv() == "x" * MAX_FRAME
        client.send("x" * (MAX_FRAME + 1))
        assert close_code(client) == 1009
        other.send("unharmed")
        assert other.recv() == "unharmed"


def deaf(tiny: Tiny, text: bytes) -> socket.socket:
    """A client that says something and never reads; bare, because a library reads ahead."""
    bare = socket.create_connection(("127.0.0.1", tiny.port))
    bare.sendall(HANDSHAKE)
    assert bare.recv(1024).startswith(b"HTTP/1.1 101")
    bare.sendall(frame(text))
    return bare


def frame(text: bytes) -> bytes:
    """A text frame with the mask 0."""
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + text


def test_sending_waits_while_the_client_does_not_read(lasting: Tiny) -> None:
    with deaf(lasting, b"flood") as client:
        lasting.process.line("held at")
        read = 0
        while read < 64 * 1024 * 1024:
            read += len(client.recv(1024 * 1024))
        lasting.process.line("flooded")
    lasting.process.line("disconnected with 1006")


def test_sending_ends_when_the_client_goes(lasting: Tiny) -> None:
    with deaf(lasting, b"flood"):
        lasting.process.line("held at")
    lasting.process.line("flooded")
    lasting.process.line("disconnected with 1006")


def test_a_client_that_does_not_read_can_be_closed(tiny: Tiny) -> None:
    with deaf(tiny, b"flood and close"):
        tiny.process.line("held at")
        tiny.process.line("disconnected with 1006")


def test_nothing_is_read_while_the_consumer_takes_nothing(tiny: Tiny) -> None:
    with deaf(tiny, b"hang") as client:
        client.settimeout(0.5)
        much = frame(b"x" * 60_000) * 1024
        with pytest.raises(TimeoutError):
            client.sendall(much)


def test_what_waits_is_read_in_order_when_the_consumer_takes_it(lasting: Tiny) -> None:
    with lasting.connect() as client:
        for number in range(1000):
            client.send(str(number))
        assert [client.recv(timeout=PATIENCE) for _ in range(1000)] == [str(number) for number in range(1000)]


def test_an_answer_may_be_larger_than_what_clients_may_send(lasting: Tiny) -> None:
    with lasting.connect() as client:
        client.send("large")
        client.send("after it")
        assert len(client.recv(timeout=PATIENCE)) == 20 * 1024 * 1024
        assert client.recv(timeout=PATIENCE) == "after it"
