"""What an outsider can do with bare HTTP: nothing that holds a connection, fills the disk, or rules the server."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hermes_site.headers import SERVER
from tests.processes import PATIENCE
from tests.test_server import Tiny


@contextmanager
def running(*options: str) -> Iterator[Tiny]:
    """A tiny site that ends without an error in its log."""
    site = Tiny(*options)
    site.process.line("http://")
    yield site
    site.process.kill()
    assert [line for line in site.process.output if "ERROR" in line or "Traceback" in line] == []


@pytest.fixture(scope="module")
def tiny() -> Iterator[Tiny]:
    with running() as site:
        yield site


@pytest.fixture(scope="module")
def hasty() -> Iterator[Tiny]:
    """One that waits for a client no longer than some seconds."""
    with running("--hasty") as site:
        yield site


def sent(tiny: Tiny, *pieces: bytes) -> bytes:
    """All that the server answers to these bytes, up to its closing its half of the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", tiny.port), timeout=PATIENCE) as client:
        for piece in pieces:
            client.sendall(piece)
        while piece := client.recv(65_536):
            answer += piece
    return answer


def head(method: str = "POST", path: str = "/", *lines: str) -> bytes:
    """A request's head; the connection ends with its answer."""
    fields = "".join(f"{line}\r\n" for line in ("Host: 127.0.0.1", "Connection: close", *lines))
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode("latin1")


def told(answer: bytes) -> list[object]:
    """What the application was told of a request."""
    found: list[object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def test_a_body_within_the_bound_is_taken(tiny: Tiny) -> None:
    body = b"x" * 1_000_000
    assert told(sent(tiny, head("POST", "/", f"Content-Length: {len(body)}"), body))[2] == len(body)


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(tiny: Tiny) -> None:
    assert sent(tiny, head("POST", "/", "Content-Length: 314572800")).startswith(b"HTTP/1.1 413 ")


def test_who_sends_all_before_reading_gets_to_read_why_it_was_refused(tiny: Tiny) -> None:
    body = b"x" * 30_000_000
    assert sent(tiny, head("POST", "/", f"Content-Length: {len(body)}"), body).startswith(b"HTTP/1.1 413 ")


def test_who_never_closes_is_closed(hasty: Tiny) -> None:
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=PATIENCE) as client:
        client.sendall(head("POST", "/", "Content-Length: 314572800"))
        while client.recv(65_536):
            pass
        ended = select.poll()
        ended.register(client, 0)  # asks for nothing but what is told unasked: an end from both sides
        assert ended.poll(PATIENCE * 1000)


def test_a_body_that_grows_too_large_is_cut_off(tiny: Tiny) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    assert sent(tiny, head("POST", "/", "Transfer-Encoding: chunked"), *[chunk] * 4).startswith(b"HTTP/1.1 413 ")


def test_a_large_file_is_taken_where_files_are_sent_and_nowhere_else(tiny: Tiny) -> None:
    body, length = b"x" * 9_999_999, "Content-Length: 9999999"
    _, _, size, pieces = told(sent(tiny, head("POST", "/files/?x", length), body))
    assert size == len(body)
    assert isinstance(pieces, int)
    assert pieces > 100
    for path in ("/", "/files", "/files/x"):
        assert sent(tiny, head("POST", path, length)).startswith(b"HTTP/1.1 413 ")


def test_a_file_that_is_too_large_is_refused_with_the_bound(tiny: Tiny) -> None:
    answer = sent(tiny, head("POST", "/files/", "Content-Length: 10000001"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"] == "A file may have at most 10 MB."


def test_a_large_answer_waits_for_its_reader(tiny: Tiny) -> None:
    with socket.create_connection(("127.0.0.1", tiny.port), timeout=PATIENCE) as client:
        client.sendall(head("GET", "/flood"))
        tiny.process.line("held at")
        received = 0
        while piece := client.recv(2**20):
            received += len(piece)
    assert received > 2**26
    tiny.process.line("flooded")


def test_a_reader_that_leaves_ends_a_large_answer(tiny: Tiny) -> None:
    with socket.create_connection(("127.0.0.1", tiny.port), timeout=PATIENCE) as client:
        client.sendall(head("GET", "/flood"))
        tiny.process.line("held at")
    tiny.process.line("flooded")


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_never_ends_is_not_waited_for(hasty: Tiny, begun: bytes) -> None:
    assert sent(hasty, begun).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_never_ends_is_not_waited_for(hasty: Tiny) -> None:
    assert sent(hasty, head("POST", "/", "Content-Length: 10"), b"x").startswith(b"HTTP/1.1 408 ")


def test_a_kept_connection_is_closed_when_nothing_comes(hasty: Tiny) -> None:
    answer = b""
    while not answer.startswith(b"HTTP/1.1 200 "):  # a test that was held up for a second came too late
        answer = sent(hasty, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("path", ["/x", "/\xe9"])
def test_a_client_names_no_root_path(tiny: Tiny, path: str) -> None:
    assert told(sent(tiny, head("GET", "/", f"Daphne-Root-Path: {path}")))[0] == ""


def test_a_trusted_proxy_names_it() -> None:
    with running("--trusting") as site:
        assert told(sent(site, head("GET", "/", "Daphne-Root-Path: /x")))[0] == "/x"
        assert sent(site, head("GET", "/", "Daphne-Root-Path: /\xe9")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "request_",
    [
        head("G\xcbT", "/"),
        head("get", "/"),
        head("GET", "/\xe9"),
        head("GET", "/?\xe9"),
        head("GET", "/", "Upgrade: websocket", "Sec-WebSocket-Protocol: \xe9"),
        head("GET", "/", "Bad Name: x"),
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 600 + b"\r\n",
    ],
)
def test_what_is_no_request_of_ours_is_answered_in_our_terms(tiny: Tiny, request_: bytes) -> None:
    answer = sent(tiny, request_)
    assert answer.startswith(b"HTTP/1.1 400 ")
    for name in SERVER:
        assert name.lower().encode() in answer.lower()


def test_no_answer_names_the_server(tiny: Tiny) -> None:
    handshake = head("GET", "/", "Upgrade: websocket").replace(b"Connection: close", b"Connection: Upgrade")
    handshake = handshake[:-2] + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with socket.create_connection(("127.0.0.1", tiny.port), timeout=PATIENCE) as client:
        client.sendall(handshake)
        upgraded = client.recv(65_536)
    assert b"101" in upgraded
    for answer in (upgraded, sent(tiny, head("GET")), sent(tiny, b"nonsense\r\n\r\n")):
        assert b"server:" not in answer.lower()
        assert not {b"daphne", b"twisted", b"autobahn"} & set(answer.lower().split())


def test_a_browser_gets_a_page_and_a_program_one_line(tiny: Tiny) -> None:
    large = "Content-Length: 314572800"
    page = sent(tiny, head("POST", "/", large, "Accept: text/html,*/*;q=0.8")).decode()
    assert page.count("<main") == page.count("<h1>") == 1
    assert '<a href="/">' in page
    assert "Content-Type: text/html" in page
    assert "default-src 'none'" in page
    assert "unsafe" not in page
    line = sent(tiny, head("POST", "/", large, "Accept: */*"))
    assert line.endswith(b"\r\n\r\n413 Request Entity Too Large\n")
