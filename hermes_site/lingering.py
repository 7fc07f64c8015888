"""Close a connection so that the client gets to read why.

Who closes a socket while bytes lie in it unread, or still come, resets the connection: the client's kernel may throw
the answer away before its program has read it, and a program that still sends its body sees "broken pipe" and not
"the file is too large". So our half is closed first, what comes is dropped, and the rest follows when the client
closes its own, LINGER_SECONDS later at the latest (nginx calls it a lingering close; RFC 9112, section 9.6). What is
dropped is read in turn (hermes_site/dropping.py).
"""

from __future__ import annotations

from typing import Any

# First: importing it chooses the reactor for the whole process.
import hermes_site.reactor  # noqa: F401  # isort: skip
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from hermes_site.dropping import PIECE_BYTES

LINGER_SECONDS = 30.0
"""From the end of the answer to the end of the connection, whatever the client sends: nginx's own bound."""


@implementer(IHalfCloseableProtocol)
class LingeringChannel(HTTPChannel):
    """A connection of which our half is closed first."""

    def __init__(self) -> None:
        super().__init__()
        self._linger: Any = None
        self._waits_to_be_read = False

    def loseConnection(self) -> None:  # noqa: N802 (Twisted's name)
        """Send what is still to be sent, close our half, and drop what comes until the client closes its own."""
        if self.transport.connected:
            self.drop_what_comes()
            self._networkProducer.unregisterProducer()
            self.transport.loseWriteConnection()
            self._networkProducer.resumeProducing()

    def drop_what_comes(self) -> None:
        """Look at nothing more that the client sends, and read it when it is this connection's turn."""
        self._buffer = b""
        self.transport.bufferSize = PIECE_BYTES
        self.dataReceived = self._drop
        for name in ("lineReceived", "rawDataReceived", "allContentReceived"):
            setattr(self, name, lambda *_: None)

    def _drop(self, data: bytes) -> None:
        if not data:
            return
        self.transport.pauseProducing()
        if not self._waits_to_be_read:
            self._waits_to_be_read = True
            self.factory.dropping.wait(self.transport.getPeer().host, self._read_on)

    def _read_on(self) -> None:
        self._waits_to_be_read = False
        self.transport.resumeProducing()

    def writeConnectionLost(self) -> None:  # noqa: N802 (Twisted's name)
        """Our half is closed: wait for the client's."""
        self._linger = self.callLater(LINGER_SECONDS, self.transport.abortConnection)

    def readConnectionLost(self) -> None:  # noqa: N802 (Twisted's name)
        """The client has closed its half: that is the end, as it is without this class."""
        self.transport.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 (Twisted's name)
        if self._linger is not None and self._linger.active():
            self._linger.cancel()
        super().connectionLost(reason)
