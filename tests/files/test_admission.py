"""Who sends a long body without being let in is answered at its head: no byte of it is waited for."""

from __future__ import annotations

import json
import socket

import pytest

from tests.files.client import FORM, TEXT_FORM, Files
from tests.live import LiveSite
from tests.processes import PATIENCE

LONG = "Content-Length: 4000000"
UPLOAD = ("/api/files/", f"Content-Type: {FORM}", "Content-Length: 1000")
ADDRESSES = [
    UPLOAD,
    ("/api/files/", f"Content-Type: {FORM}", "Transfer-Encoding: chunked"),
    ("/v1/chat/completions", "Content-Type: application/json", LONG),
    ("/v1/responses", "Content-Type: application/json", "Transfer-Encoding: chunked"),
    ("/ag-ui/", "Content-Type: application/json", LONG),
]


def head(path: str, *fields: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *fields, "")).encode()


def answer(site: LiveSite, *pieces: bytes) -> bytes:
    """All that is answered to these bytes, up to the connection's end."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("given", ADDRESSES)
@pytest.mark.parametrize("more", [(), ("Authorization: Bearer hermes_wrong",), ("Cookie: sessionid=wrong",)])
def test_without_a_login_a_long_body_is_not_waited_for(
    site: LiveSite, given: tuple[str, ...], more: tuple[str, ...]
) -> None:
    path, *fields = given
    told = answer(site, head(path, *fields, *more, "Expect: 100-continue"))
    assert told.startswith(b"HTTP/1.1 401 ")
    assert b"100 Continue" not in told
    before, _, body = told.partition(b"\r\n\r\n")
    assert b"www-authenticate: bearer" in before.lower()
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


def test_what_was_sent_with_the_head_is_no_request(site: LiveSite) -> None:
    smuggled = head("/api/files/", "Content-Length: 0")
    told = answer(site, head(*UPLOAD) + smuggled)
    assert told.count(b"HTTP/1.1 ") == 1


def test_with_a_login_the_body_is_asked_for(files: Files) -> None:
    authorization = f"Authorization: {files.headers['Authorization']}"
    fields = (f"Content-Type: {FORM}", f"Content-Length: {len(TEXT_FORM)}", authorization, "Expect: 100-continue")
    with socket.create_connection(("127.0.0.1", files.site.port), timeout=PATIENCE) as connection:
        connection.sendall(head("/api/files/", *fields, "Connection: close"))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(TEXT_FORM)
        told = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert told.startswith(b"HTTP/1.1 201 ")


def test_two_uploads_on_one_connection_are_both_taken(files: Files) -> None:
    authorization = f"Authorization: {files.headers['Authorization']}"
    fields = (f"Content-Type: {FORM}", f"Content-Length: {len(TEXT_FORM)}", authorization)
    first = head("/api/files/", *fields) + TEXT_FORM
    last = head("/api/files/", *fields, "Connection: close") + TEXT_FORM
    assert answer(files.site, first + last).count(b"HTTP/1.1 201 ") == 2
