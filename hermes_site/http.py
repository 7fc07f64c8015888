"""HTTP connections with bounds, which Daphne and Twisted lack: nobody holds one, or fills the disk, for nothing.

A head has to be there within HEAD_SECONDS of its first byte, a body within BODY_SECONDS, and a connection that is kept
is closed after IDLE_SECONDS without a request. A body that is too long for its address is refused before it is read
where its length is announced, and cut off where it comes in chunks. What is no HTTP is answered here, with the headers
that every answer of the site has, and without a line in the log: an outsider can send it at will.

Where large files are sent (`Uploads`) the bound is another, and the time grows with the length.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

# First: importing it chooses the reactor for the whole process.
import hermes_site.reactor  # noqa: F401  # isort: skip
from daphne.http_protocol import HTTPFactory

from hermes_site import error_pages
from hermes_site.admission import AskingChannel
from hermes_site.dropping import Dropping
from hermes_site.http_request import BoundedRequest
from hermes_site.uploads import MAX_BODY, Place, Uploads

HEAD_SECONDS, BODY_SECONDS, IDLE_SECONDS = 10.0, 60.0, 60.0

SLOWEST_UPLOAD = 50_000
"""Bytes a second: a large file may take so long, beyond BODY_SECONDS."""


class BoundedChannel(AskingChannel):
    """One connection. Its clock runs while a head or a body is awaited."""

    requestFactory = BoundedRequest  # noqa: N815 (Twisted's name)

    def __init__(self) -> None:
        super().__init__()
        self._clock: Any = None

    @property
    def path(self) -> str:
        """The address that is asked for, as far as the head has told."""
        path: bytes = getattr(self, "_path", None) or b""
        return path.decode("latin1")

    @property
    def longest_body(self) -> int:
        """The bytes of the largest body that the address takes."""
        if (place := self.place) is not None:
            return place.longest
        return self._uploads.conversation if self.path.startswith(error_pages.HTTP_API) else MAX_BODY

    @property
    def _uploads(self) -> Uploads:
        uploads: Uploads = self.factory.uploads
        return uploads

    @property
    def is_upload(self) -> bool:
        """Whether a file is sent."""
        return self.place is not None

    @property
    def place(self) -> Place | None:
        """Where a file is sent, if one is."""
        path = self.path.partition("?")[0]
        return next((place for place in self._uploads.places if place.path == path), None)

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        super().connectionMade()
        self._start_clock(HEAD_SECONDS)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 (Twisted's name)
        self.stop_clock()
        super().connectionLost(reason)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        if self._clock is None:
            self._start_clock(HEAD_SECONDS)
        super().lineReceived(line)

    def allHeadersReceived(self) -> None:  # noqa: N802 (Twisted's name)
        if self.length is not None and self.length > self.longest_body:
            self.refuse(413)
        elif self._uploads.admits is not None and self._sends_much():
            self.ask(self._uploads.admits, self._await_body)
        else:
            self._await_body()

    def _sends_much(self) -> bool:
        """Whether what comes is a file, or may be longer than what anybody may send."""
        if self.longest_body == MAX_BODY:
            return False
        return self.length != 0 if self.is_upload else self.length is None or self.length > MAX_BODY

    def _await_body(self) -> None:
        super().allHeadersReceived()
        self.stop_clock()
        if self.length != 0:
            self._start_clock(BODY_SECONDS + self._expected_bytes() / SLOWEST_UPLOAD)

    def _expected_bytes(self) -> int:
        """How many bytes of a body there may have to be waited for, beyond those of a short one."""
        if self.longest_body == MAX_BODY:
            return 0
        return self.length if self.length is not None else self.longest_body

    def refuse(self, status: int) -> None:
        """Answer with an error and close; what comes after is not looked at."""
        self.stop_clock()
        place = self.place if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else None
        detail = place.refusal if place else ""
        if self.requests:
            request = self.requests[-1]
            more = request.told_to_browsers().items()
            answer = error_pages.answer(status, detail, more=more, form=request.form())
        else:
            answer = error_pages.answer(status, detail)
        self.transport.write(answer)
        self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 (Twisted's name)
        self.refuse(400)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Refuse a line that is longer than a whole head may be."""
        self.refuse(400)

    def _start_clock(self, seconds: float) -> None:
        self._clock = self.callLater(seconds, self._time_is_up)

    def stop_clock(self) -> None:
        """Wait for nothing any more."""
        if self._clock is not None and self._clock.active():
            self._clock.cancel()
        self._clock = None

    def _time_is_up(self) -> None:
        self._clock = None
        self.refuse(408)


class BoundedFactory(HTTPFactory):
    """Makes a bounded channel for each connection."""

    def __init__(self, server: Any, uploads: Uploads) -> None:
        super().__init__(server)
        self.uploads = uploads
        self.dropping = Dropping(self.reactor.callLater)
        self.timeOut = IDLE_SECONDS

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 (Twisted's name)
        channel = BoundedChannel()
        channel.factory = self
        channel.timeOut = self.timeOut
        channel.callLater = self.reactor.callLater
        return channel
