"""The loopback provider as a process of its own: chat completions of some words, every chunk written by itself.

The tests' provider counts cached tokens honestly, by looking at every prompt it ever saw, and parses with h11: both
would be most of what is measured here. This one knows the bytes of each reply beforehand. How many words, how long,
and at what pace, says the last mark in the request's body (`Shape`); which tool is called first, another (`ToolShape`).
`GET /bodies?N` answers the last N request
bodies as a JSON list, oldest first.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from bench.timing import cpu_of
from tests.processes import Process
from tests.providers import chat
from tests.providers.events import Event
from tests.providers.script import Answer, Call, words
from tests.providers.tokens import Counted

MODEL = "bench"
KEPT = 256

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_CALLS = re.compile(r"\[calls (\w+)\]")
_MARK = re.compile(r"\[(\d+) words, (\d+) ms, (\d+) characters\]")


@dataclass(frozen=True)
class Shape:
    """How a reply comes: `chunks` words of at least `size` characters, `pause` milliseconds between them."""

    chunks: int = 50
    pause: int = 0
    size: int = 0

    @property
    def mark(self) -> str:
        """What a request says to get such a reply."""
        return f"[{self.chunks} words, {self.pause} ms, {self.size} characters]"

    @property
    def text(self) -> str:
        """What is asked."""
        return f"Tell me something about the sea, in some fifty words. {self.mark}"

    @cached_property
    def words(self) -> list[str]:
        """What is said."""
        return [word.ljust(self.size, ".") for word in words(self.chunks)]

    @cached_property
    def answer(self) -> str:
        """All that is said."""
        return "".join(self.words)

    @property
    def seconds(self) -> float:
        """From the first word to the last."""
        return (self.chunks - 1) * self.pause / 1000


PLAIN = Shape()


@dataclass(frozen=True, slots=True)
class ToolShape:
    """A reply that calls a tool, one of CALLS, and then a plain one."""

    tool: str

    @property
    def text(self) -> str:
        """What is asked."""
        return f"{PLAIN.text} [calls {self.tool}]"

    @property
    def answer(self) -> str:
        """All that is said."""
        return PLAIN.answer


CALLS = {"calculator": '{"expression":"6 * 7"}', "python_add": '{"a":6,"b":36}'}
"""Arguments by the names of tools."""


def tool_asked_for(body: str) -> str | None:
    """The tool that a request's last message asks for; None where it has been called."""
    found = _CALLS.match(body, body.rfind("[calls "))
    return found[1] if found and body.rfind('"role":"tool"') < found.start() else None


def asked_for(body: str) -> Shape:
    """The shape that a request's last message asks for."""
    found = _MARK.match(body, body.rfind("[", 0, body.rfind(" characters]")))
    return Shape(*map(int, found.groups())) if found else PLAIN


def _chunk(event: Event) -> bytes:
    data = event.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


@cache
def reply(shape: Shape) -> list[list[bytes]]:
    """What is written, chunk by chunk, in as many moments as there are words."""
    events = chat.stream(Answer(words=shape.words), {"model": MODEL}, Counted(prompt=1000, cached=900))
    role, *spoken = [_chunk(event) for event in events if isinstance(event, Event)]
    moments = [[word] for word in spoken[: shape.chunks]]
    moments[0] = [_HEAD, role, *moments[0]]
    moments[-1] += [*spoken[shape.chunks :], b"0\r\n\r\n"]
    return moments


@cache
def call_reply(tool: str) -> bytes:
    """What is written of a reply that calls a tool, all at once."""
    answer = Answer(words=[], calls=[Call(tool, CALLS[tool], f"call_{tool}")])
    events = chat.stream(answer, {"model": MODEL}, Counted(prompt=1000, cached=900))
    return b"".join([_HEAD, *(_chunk(event) for event in events if isinstance(event, Event)), b"0\r\n\r\n"])


class Connection(asyncio.Protocol):
    """One keep-alive connection; a request is answered as soon as its body is there."""

    bodies: deque[str] = deque(maxlen=KEPT)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = bytearray()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].decode("latin1").lower()
            _, _, length = head.partition("content-length:")
            whole = end + 4 + int(length.split("\r\n")[0] or 0)
            if len(self._received) < whole:
                return
            self._answer(head, self._received[end + 4 : whole].decode())
            del self._received[:whole]

    def _answer(self, head: str, body: str) -> None:
        if head.startswith("get /bodies?"):
            count = int(head.split(" ")[1].partition("?")[2])
            told = json.dumps(list(self.bodies)[-count:]).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(told), told))
            return
        self.bodies.append(body)
        if (tool := tool_asked_for(body)) is not None:
            self._transport.write(call_reply(tool))
            return
        shape = asked_for(body)
        self._say(iter(reply(shape)), shape.pause / 1000)

    def _say(self, moments: Iterator[list[bytes]], pause: float) -> None:
        for chunks in moments:
            for chunk in chunks:
                self._transport.write(chunk)
            if pause:
                if not self._transport.is_closing():
                    asyncio.get_running_loop().call_later(pause, self._say, moments, pause)
                return


async def serve() -> None:
    """Print the port and serve until killed."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Provider:
    """The running provider; `url` is for OPENAI_BASE_URL."""

    def __init__(self) -> None:
        self.process = Process([sys.executable, "-m", "bench.provider"])
        self.url = f"http://127.0.0.1:{self.process.line('port').split()[1]}/v1"

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        return cpu_of(self.process.pid)


if __name__ == "__main__":
    asyncio.run(serve())
