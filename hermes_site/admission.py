"""Ask who sends a long body before it is read: nobody fills the disk who is not let in.

Daphne calls the application when all of a body is there. So the connection is asked about by its head, and waits; who
is not let in is answered as if nothing had come with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

# First: importing it chooses the reactor for the whole process.
import hermes_site.reactor  # noqa: F401  # isort: skip
from twisted.web.http import HTTPChannel

from hermes_site.lingering import LingeringChannel

logger = logging.getLogger(__name__)

Admits = Callable[[Sequence[tuple[bytes, bytes]], str], Awaitable[bool]]
"""``await admits(headers, address)``: whether the client at an address, with these headers, may send a long body."""


class AskingChannel(LingeringChannel):
    """A connection that can wait, behind the head of a request, for the answer to who sends it."""

    def __init__(self) -> None:
        super().__init__()
        self._asking: asyncio.Task[None] | None = None

    def ask(self, admits: Admits, go_on: Callable[[], None]) -> None:
        """Read no further until it is known who asks; then ``go_on``, or be answered without the body."""
        self.paused = True
        self._networkProducer.pauseProducing()
        self._asking = asyncio.ensure_future(self._ask(admits, go_on))

    async def _ask(self, admits: Admits, go_on: Callable[[], None]) -> None:
        headers = self.requests[-1].requestHeaders.getAllRawHeaders()
        told = [(name.lower(), value) for name, values in headers for value in values]
        try:
            is_admitted = await admits(told, self.transport.getPeer().host)
        except Exception:
            logger.exception("nobody could say who sends a long body")
            is_admitted = False
        if is_admitted:
            go_on()
        else:
            self._answer_without_body()
        self.paused = False
        self._networkProducer.resumeProducing()
        self.dataReceived(b"")

    def _answer_without_body(self) -> None:
        request = self.requests[-1]
        # It would be told to send its body.
        request.requestHeaders.removeHeader(b"expect")
        self.length = 0
        HTTPChannel.allHeadersReceived(self)
        self.persistent = False
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        finish = self.allContentReceived
        self.drop_what_comes()
        finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 (Twisted's name)
        if self._asking is not None:
            self._asking.cancel()
        super().connectionLost(reason)
