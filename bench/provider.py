"""The loopback provider as a process of its own: chat completions of 50 words, every chunk written by itself.

The tests' provider counts cached tokens honestly, by looking at every prompt it ever saw, and parses with h11: both
would be most of what is measured here. This one spends some 0.3 ms a reply. `GET /bodies?N` answers the last N
request bodies as a JSON list, oldest first.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque

from tests.processes import Process
from tests.providers import chat
from tests.providers.events import Event
from tests.providers.script import Answer, words
from tests.providers.tokens import Counted

WORDS = words(50)
ANSWER = "".join(WORDS)
MODEL = "bench"
KEPT = 256

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _chunk(event: Event) -> bytes:
    data = event.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


_EVENTS = chat.stream(Answer(words=WORDS), {"model": MODEL}, Counted(prompt=1000, cached=900))
_REPLY = [_HEAD, *(_chunk(event) for event in _EVENTS if isinstance(event, Event)), b"0\r\n\r\n"]


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
        for chunk in _REPLY:
            self._transport.write(chunk)


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


if __name__ == "__main__":
    asyncio.run(serve())
