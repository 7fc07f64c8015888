"""One HTTP request: its bytes counted, its body taken piece by piece, its answer sent as fast as the client reads.

A long body lies in a file without a name, from which the application takes it (`BodyInbox`); and what is streamed to a
client waits for it to read (`BoundedRequest.writable`). So neither is ever in memory as a whole. What the site could
not take is refused through the request's channel (hermes_site/http.py).
"""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

# First: importing it chooses the reactor for the whole process.
import hermes_site.reactor  # noqa: F401  # isort: skip
from daphne.http_protocol import WebRequest
from django.utils.http import parse_header_parameters

from hermes_site import cors, error_pages
from hermes_site.back_pressure import BackPressure
from hermes_site.uploads import MAX_BODY

_PIECE_BYTES = 64 * 1024

MEANINGFUL = {b"daphne-root-path"}
"""Headers by which a client would rule the server: they count from a trusted proxy alone."""

_METHOD = re.compile(rb"[A-Z]{1,20}")


class BoundedRequest(BackPressure, WebRequest):
    """A request whose body is counted; refused where it is none that the site could take."""

    received = 0
    content: Any

    def __init__(self, *args: Any) -> None:
        # Twisted would read forms too, which Django does: 3 MB of `a=1&` held the event loop for a second.
        super().__init__(*args, parsePOSTFormSubmission=False)
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
