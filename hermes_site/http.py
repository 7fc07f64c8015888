"""HTTP connections with bounds, which Daphne and Twisted lack: nobody holds one, or fills the disk, for nothing.

A head has to be there within HEAD_SECONDS of its first byte, a body within BODY_SECONDS, and a connection that is kept
is closed after IDLE_SECONDS without a request. A body that is too long for its address is refused before it is read
where its length is announced, and cut off where it comes in chunks. What is no HTTP is answered here, with the headers
that every answer of the site has, and without a line in the log: an outsider can send it at will.

Where large files are sent (`Uploads`) the bound is another, and the time grows with the length. Such a body lies in a
file without a name, from which the application takes it piece by piece (`BodyInbox`); and what is streamed to a client
waits for it to read (`BoundedRequest.writable`). So neither is ever in memory as a whole.
"""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

# First: importing it chooses the reactor for the whole process.
import daphne.server  # noqa: F401  # isort: skip
from daphne.http_protocol import HTTPFactory, WebRequest
from django.utils.http import parse_header_parameters

from hermes_site import cors, error_pages
from hermes_site.admission import Admits, AskingChannel

HEAD_SECONDS, BODY_SECONDS, IDLE_SECONDS = 10.0, 60.0, 60.0

MAX_BODY = 3 * 1024 * 1024
"""Bytes; Django's own bound for a form is 2.5 MB."""

SLOWEST_UPLOAD = 50_000
"""Bytes a second: a large file may take so long, beyond BODY_SECONDS."""

_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where files are sent, the bytes of the largest body there, and what is said of a larger one."""

    path: str
    longest: int
    refusal: str


@dataclass(frozen=True, slots=True)
class Uploads:
    """The places where files are sent.

    ``conversation``: bytes of a body for the APIs over HTTP. Programs send all that was said each time, with its files.
    ``admits``: who may send a file, or a body of the APIs that is longer than others; None: everybody.
    """

    places: tuple[Place, ...] = ()
    conversation: int = MAX_BODY
    admits: Admits | None = None


MEANINGFUL = {b"daphne-root-path"}
"""Headers by which a client would rule the server: they count from a trusted proxy alone."""

_METHOD = re.compile(rb"[A-Z]{1,20}")


class BoundedRequest(WebRequest):
    """A request whose body is counted; refused where it is none that the site could take."""

    received = 0
    content: Any

    def __init__(self, *args: Any) -> None:
        # Twisted would read forms too, which Django does: 3 MB of `a=1&` held the event loop for a second.
        super().__init__(*args, parsePOSTFormSubmission=False)
        self.writable = asyncio.Event()
        self.writable.set()
        self._is_flowing = False

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        self.received += len(data)
        if self.received > self.channel.longest_body:
            self.channel.refuse(413)
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """Daphne's, for what it can process."""
        self.channel.stop_clock()
        if not self.channel.factory.server.trusts(str(getattr(self.client, "host", ""))):
            for name in MEANINGFUL:
                self.requestHeaders.removeHeader(name)
        if not (self._is_plain() and self._names_an_encoding_we_read()):
            self.channel.refuse(400)
            return None
        return super().process()

    def take_body(self) -> BodyInbox:
        """Return the body as the application receives it: at once where it is short, else piece by piece."""
        if self.received <= MAX_BODY:
            return BodyInbox(None)
        body, self.content = self.content, io.BytesIO()
        return BodyInbox(body)

    def begin_flow(self) -> None:
        """Learn from now on whether the client reads what it is sent."""
        if not self._is_flowing and not self.finished and self.channel is not None:
            self._is_flowing = True
            self.registerProducer(self, True)

    def end_flow(self) -> None:
        """Wait for the client no more: what is sent next is the end."""
        self.writable.set()
        if self._is_flowing and self.channel is not None:
            self.unregisterProducer()
        self._is_flowing = False

    def break_off(self) -> None:
        """Close the connection in the midst of the answer, so that the client sees that it is not whole."""
        if self.channel is not None:
            self.channel.transport.abortConnection()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 (Twisted's name)
        self.end_flow()
        super().connectionLost(reason)

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self.writable.clear()

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self.writable.set()

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self.writable.set()

    def _is_plain(self) -> bool:
        """Whether Daphne can read all that it reads: else it would answer 500, and say so in the log."""
        protocols = self.requestHeaders.getRawHeaders(b"sec-websocket-protocol", [])
        told = [self.method, self.uri, self.clientproto, *protocols, *self._meaningful()]
        return _METHOD.fullmatch(self.method) is not None and all(value.isascii() for value in told)

    def _names_an_encoding_we_read(self) -> bool:
        """Whether Django can read the body: of another encoding than UTF-8 it fails, and on its error page again."""
        kinds = self.requestHeaders.getRawHeaders(b"content-type", [])
        try:
            charset = parse_header_parameters(b",".join(kinds).decode("latin1"))[1].get("charset", "utf-8")
        except ValueError:
            return False
        return charset.lower() == "utf-8"

    def _meaningful(self) -> list[bytes]:
        return [value for name in MEANINGFUL for value in self.requestHeaders.getRawHeaders(name, [])]

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """The server's own page, in the site's terms."""
        form = self.form()
        told = {**error_pages.headers_of(form), **self.told_to_browsers()}
        headers = [(name.encode(), value.encode("latin1")) for name, value in told.items()]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": error_pages.body_of(status, form=form)})

    def form(self) -> error_pages.Form:
        """What an error looks like to who asks, as far as the head has told."""
        if self.channel and self.channel.is_upload:
            return "openai"
        return error_pages.form_of(self._address(), self.requestHeaders.getRawHeaders(b"accept", []))

    def told_to_browsers(self) -> dict[str, str]:
        """What an error says of the page that asks, as far as the head has told: else that could not read it."""
        origins = self.requestHeaders.getRawHeaders(b"origin", [b""])
        return cors.headers_for(self._address(), origins[-1].decode("latin1"))

    def _address(self) -> str:
        # Told by the channel until the request is whole.
        path = self.channel.path if self.channel else ""
        whole: bytes = getattr(self, "path", None) or b""
        return path or whole.decode("latin1")


class BodyInbox(asyncio.Queue[dict[str, Any]]):
    """What an application receives of a request; a long ``body`` is read as it is asked for, and closed at its end."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    def put_nowait(self, item: dict[str, Any]) -> None:
        """Take what the server says; where there is a long body it has none itself, and a client that left ends it."""
        if self._body is not None and item["type"] == "http.request":
            return
        if item["type"] == "http.disconnect":
            self._close()
        super().put_nowait(item)

    async def get(self) -> dict[str, Any]:
        """Return the next piece of the body, then what the server says."""
        if self._body is None:
            return await super().get()
        piece = self._body.read(_PIECE_BYTES)
        if len(piece) < _PIECE_BYTES:
            self._close()
        return {"type": "http.request", "body": piece, "more_body": self._body is not None}

    def _close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


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
        """Answer with an error and close; what comes after is not read."""
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
        for name in ("dataReceived", "lineReceived", "rawDataReceived", "allContentReceived"):
            setattr(self, name, lambda *_: None)
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
        self.timeOut = IDLE_SECONDS

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 (Twisted's name)
        channel = BoundedChannel()
        channel.factory = self
        channel.timeOut = self.timeOut
        channel.callLater = self.reactor.callLater
        return channel
