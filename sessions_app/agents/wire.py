"""Constant cost on the wire: Pydantic AI maps only what is new, and the rest is spliced in as bytes kept from before.

A request is built by Pydantic AI and the provider's own SDK from a marker message and the rows not serialised yet.
This transport, beneath both, puts the kept elements of the conversation in the marker's place, writes every body in
one fixed JSON form, and hands back the bytes of the new elements to be kept for the next request. So a turn costs
the same at message 10 and at message 10,000, and bytes once sent never change.

It rests on one property, which the oracle test checks for each wire: *an element depends only on its own row (and a
call's results)*, never on its neighbours.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.request import getproxies, proxy_bypass

import httpx2

from .batches import Batches

MARKER = f"the conversation so far, {secrets.token_hex(16)}"
"""Stands for the kept elements in a request; unguessable, so that nobody can say it."""

FIELDS = ("messages", "input")
"""Where a body keeps its conversation: chat completions and Anthropic messages; Responses."""


@dataclass(slots=True)
class Splice:
    """One request's splice: what goes in, and what the request added.

    `kept` is the elements of the earlier conversation, serialised and joined by commas. A `rehearsal` is mapped and
    serialised but never sent (its answer is an error). `prefix` is the digest of all that stands before and beside
    the conversation, the same for all sessions that begin alike. `answer` is the event stream that came back.
    """

    kept: bytes
    rehearsal: bool = False
    prefix: str = ""
    added: list[bytes] = field(default_factory=list)
    answer: Batches | None = None

    def body(self, content: bytes) -> bytes:
        """The whole body for a body that holds the marker; remembers the elements behind the marker."""
        frame: dict[str, Any] = json.loads(content)
        name = next(name for name in FIELDS if name in frame)
        elements = [dumped(element) for element in frame[name]]
        place = next(index for index, element in enumerate(elements) if MARKER.encode() in element)
        self.added = elements[place + 1 :]
        self.prefix = _prefix_digest({**frame, name: None}, elements[:place])
        frame[name] = [MARKER]
        head, tail = dumped(frame).split(dumped(MARKER), 1)
        kept = [self.kept] if self.kept else []
        return b"".join([head, b",".join([*elements[:place], *kept, *self.added]), tail])

    def apart(self) -> list[list[bytes]]:
        """The added elements of a rehearsal, as the runs that a marker stands behind."""
        runs: list[list[bytes]] = []
        run: list[bytes] = []
        for element in self.added:
            if MARKER.encode() in element:
                runs.append(run)
                run = []
            else:
                run.append(element)
        return runs


def _prefix_digest(frame: dict[str, Any], elements: list[bytes]) -> str:
    # The key only tells which of the provider's caches to ask.
    frame.pop("prompt_cache_key", None)
    return hashlib.sha256(b",".join([dumped(frame), *elements])).hexdigest()[:32]


def dumped(value: object) -> bytes:
    """The one JSON form of everything sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


splice: ContextVar[Splice | None] = ContextVar("splice", default=None)
"""The splice of the request that this task is making."""


class SplicingTransport(httpx2.AsyncBaseTransport):
    """Sends what `splice` says, and hands the stream of the answer on in batches (`batches`)."""

    inner: httpx2.AsyncHTTPTransport

    def connect(self, base_url: str, limits: httpx2.Limits) -> None:
        """Make the connection pool, through the proxy that the environment names for this address.

        Reads certificates from disk: not for the event loop.
        """
        url = httpx2.URL(base_url)
        proxy = None if proxy_bypass(url.host) else getproxies().get(url.scheme)
        self.inner = httpx2.AsyncHTTPTransport(limits=limits, proxy=proxy)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See the module."""
        current = splice.get()
        if current is not None:
            body = current.body(await request.aread())
            if current.rehearsal:
                return httpx2.Response(418, request=request)
            headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
            request = httpx2.Request(
                request.method, request.url, headers=headers, content=body, extensions=request.extensions
            )
        response = await self.inner.handle_async_request(request)
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            response.stream = batches = Batches(cast(httpx2.AsyncByteStream, response.stream))
            if current is not None:
                current.answer = batches
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self.inner.aclose()
