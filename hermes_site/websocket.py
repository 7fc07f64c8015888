"""A WebSocket connection that never holds more than a bounded amount for a client that reads too slowly.

Daphne writes whatever the application sends into the transport, however long the client has not read. Here the
transport says when its buffer is full (Twisted's push producer); what comes after waits in a queue of ours, and when
that is full too the client is cut off with 4008. It mends itself by connecting again and `session.open`.
"""

from collections import deque

from daphne.ws_protocol import WebSocketProtocol

READS_TOO_SLOWLY = 4008


class PatientProtocol(WebSocketProtocol):
    """Daphne's protocol with a bounded queue; `server.backlog` is its size in bytes.

    A frame of any size is taken while no more than that waits: one large answer never cuts a client off.
    """

    def onOpen(self) -> None:  # noqa: N802 (autobahn's name)
        super().onOpen()
        self._paused = False
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._waiting_bytes = 0
        self._close_after: int | None = None
        # Until here it was the HTTP channel that this connection began as.
        self.unregisterProducer()
        self.registerProducer(self, True)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802 (Daphne's name)
        if self.state != self.STATE_OPEN or self._close_after is not None:
            return
        payload = content.encode() if isinstance(content, str) else content
        if not self._paused:
            self._write(payload, binary)
        elif self._waiting_bytes > self.server.backlog:
            self._cut_off()
        else:
            self._waiting.append((payload, binary))
            self._waiting_bytes += len(payload)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 (Daphne's name)
        """Close behind what waits."""
        if self.state == self.STATE_OPEN and self._waiting:
            self._close_after = code or 1000
        else:
            super().serverClose(code)

    def _write(self, payload: bytes, binary: bool) -> None:
        # Not sendMessage: autobahn would hold answers to the limit that is meant for what clients send.
        self.sendFrame(opcode=2 if binary else 1, payload=payload)

    def _cut_off(self) -> None:
        self._forget()
        # Autobahn drops the connection when the answer to this does not come in time.
        self.sendClose(code=READS_TOO_SLOWLY)

    def _forget(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0

    # Twisted's push producer

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self._paused = False
        while self._waiting and not self._paused and self.state == self.STATE_OPEN:
            payload, binary = self._waiting.popleft()
            self._waiting_bytes -= len(payload)
            self._write(payload, binary)
        if self._close_after is not None and not self._waiting:
            super().serverClose(self._close_after)

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self._forget()
