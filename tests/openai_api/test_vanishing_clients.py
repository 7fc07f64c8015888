"""A client that vanishes at any byte of its request has asked for nothing, and harms nobody."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.openai_api.conftest import MODEL, Program
from tests.providers.fixtures import Provider

BODIES = {
    "/v1/chat/completions": {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]},
    "/v1/responses": {"model": MODEL, "input": "Hello"},
    "/ag-ui/": {
        "threadId": "thread",
        "runId": "run",
        "messages": [{"id": "1", "role": "user", "content": "Hello"}],
        "tools": [],
        "context": [],
        "state": {},
        "forwardedProps": {},
    },
}
# Bytes from one place at which it vanishes to the next.
STEP = 7


def request_of(program: Program, path: str) -> bytes:
    """Return a whole request."""
    body = json.dumps(BODIES[path]).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(program.site.base_url).netloc}",
        f"Authorization: Bearer {program.site.tokens[program.user]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def connect(program: Program) -> socket.socket:
    address = urlsplit(program.site.base_url)
    return socket.create_connection((address.hostname or "", address.port or 0))


@pytest.mark.parametrize("path", BODIES)
def test_a_client_that_vanishes_amid_its_request(program: Program, model: Provider, path: str) -> None:
    whole = request_of(program, path)
    for end in [*range(0, len(whole), STEP), len(whole) - 1]:
        with closing(connect(program)) as connection:
            connection.sendall(whole[:end])
    with closing(connect(program)) as connection:
        connection.sendall(whole)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(model.requests) == len(program.sessions()) == 1
