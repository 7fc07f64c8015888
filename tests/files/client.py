"""A program that adds files over HTTP, byte by byte where a test wants it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.live import LiveSite
from tests.processes import PATIENCE

BOUNDARY = "----somewhere"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def form(content: bytes, name: str = "notes.txt", field: str = "file") -> bytes:
    """A form with one file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    return f"{head}Content-Type: application/x-claimed\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


TEXT_FORM = form(b"What the letter says.")


def chunked(body: bytes) -> Iterator[bytes]:
    """A body in chunks of 50 kB, as it goes over the wire."""
    for start in range(0, len(body), 50_000):
        piece = body[start : start + 50_000]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    @property
    def error(self) -> str:
        """The sentence for the user."""
        text: str = self.json["error"]["message"]
        return text


class Files:
    """One user's files at a site."""

    def __init__(self, site: LiveSite, user: str, **headers: str) -> None:
        self.site = site
        self.user = user
        self.headers = headers or {"Authorization": f"Bearer {site.tokens[user]}"}

    def ask(self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=PATIENCE)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {**self.headers, **named})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, content: bytes, name: str = "notes.txt", **headers: str) -> Answer:
        return self.ask("POST", "/api/files/", form(content, name), **{"Content_Type": FORM, **headers})

    def add(self, content: bytes, name: str = "notes.txt") -> dict[str, Any]:
        """Add a file that is taken, and return its shape."""
        answer = self.post(content, name)
        assert answer.status == 201, answer.body
        return answer.json

    def get(self, shape: dict[str, Any], query: str = "") -> Answer:
        return self.ask("GET", shape["url"] + query)

    def delete(self, shape: dict[str, Any]) -> Answer:
        return self.ask("DELETE", shape["url"])

    def begin(self, length: int) -> socket.socket:
        """A connection on which the head of an upload was sent."""
        connection = socket.create_connection(("127.0.0.1", self.site.port), timeout=PATIENCE)
        fields = {**self.headers, "Content-Type": FORM, "Content-Length": str(length), "Host": "127.0.0.1"}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.sendall(f"POST /api/files/ HTTP/1.1\r\n{head}\r\n".encode())
        return connection
