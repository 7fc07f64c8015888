"""A WebSocket connection with back-pressure in both directions, which Daphne lacks.

Out: the transport says when its buffer is full (Twisted's push producer), and `writable` makes the application's
`send` wait until the client has read. In: while the application does not take what came, nothing more is read.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from daphne.ws_protocol import WebSocketProtocol

from hermes_site import deflate, error_pages
from hermes_site.back_pressure import BackPressure

# Frames that may wait for the application.
INBOX = 16
# The bit in a frame's head (RSV1) that says so.
_COMPRESSED = 4


class PatientProtocol(BackPressure, WebSocketProtocol):
    """Daphne's protocol, with back-pressure."""

    def onOpen(self) -> None:  # noqa: N802 (autobahn's name)
        super().onOpen()
        # Until here it was the HTTP channel that this connection began as.
        self.unregisterProducer()
        self.registerProducer(self, True)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:  # noqa: N802, N803 (autobahn's names)
        self.writable.set()
        super().onClose(wasClean, code, reason)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802 (Daphne's name)
        if self.state == self.STATE_OPEN:
            payload = content.encode() if isinstance(content, str) else content
            # Not sendMessage: autobahn would hold answers to the limit that is meant for what clients send.
            if self._perMessageCompress is not None and isinstance(content, str) and deflate.fits(len(payload)):
                compressed = deflate.deflated(content, self._perMessageCompress.server_max_window_bits)
                self.sendFrame(opcode=1, payload=compressed, rsv=_COMPRESSED)
            else:
                self.sendFrame(opcode=2 if binary else 1, payload=payload)

    def onMessageEnd(self) -> None:  # noqa: N802 (autobahn's name)
        super().onMessageEnd()
        if self._perMessageCompress is not None:
            # No message needs what another has left; autobahn would keep it until the next one begins.
            self._perMessageCompress._decompressor = None

    def sendHttpErrorResponse(  # noqa: N802 (autobahn's name)
        self,
        code: int,
        reason: str,
        responseHeaders: Iterable[tuple[str, str]] | None = None,  # noqa: N803 (autobahn's name)
    ) -> None:
        self.sendData(error_pages.answer(code, reason, responseHeaders or ()))


class Inbox(asyncio.Queue[dict[str, Any]]):
    """What came from a client and the application has not taken yet."""

    def __init__(self, protocol: PatientProtocol) -> None:
        super().__init__()
        self._protocol = protocol

    def _put(self, item: dict[str, Any]) -> None:
        super()._put(item)
        if self.qsize() == INBOX:
            self._protocol.transport.pauseProducing()

    def _get(self) -> dict[str, Any]:
        item = super()._get()
        if self.qsize() == INBOX - 1:
            self._protocol.transport.resumeProducing()
        return item
