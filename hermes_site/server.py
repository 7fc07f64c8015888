"""Daphne with a life cycle: start what must run before the first client, and on a signal drain before leaving.

Plain Daphne has no start hook, and on SIGTERM it cancels every consumer at once while it still accepts connections.
"""

import asyncio
import logging
import signal
import socket
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

# First: importing it chooses the reactor for the whole process.
import hermes_site.reactor  # noqa: F401  # isort: skip
from daphne.server import Server as DaphneServer
from daphne.ws_protocol import WebSocketFactory
from twisted.internet import reactor as _reactor
from twisted.logger import globalLogBeginner

from hermes_site import deflate
from hermes_site.collector import Collector
from hermes_site.environment import Network
from hermes_site.http import BoundedFactory
from hermes_site.http_request import BoundedRequest
from hermes_site.proxy import trusts
from hermes_site.uploads import Uploads
from hermes_site.websocket import Inbox, PatientProtocol
from sessions_app.http_api.breaking_off import BROKEN_OFF

logger = logging.getLogger(__name__)
# The interfaces it declares are not those of the one that is installed.
reactor: Any = _reactor

STOPPING = 4012
# Bytes that the kernel keeps for a client, of which it makes some four times as many.
SEND_BUFFER = 128 * 1024
# Seconds that clients get to read what the kernel keeps for them, and behind it the code that they are closed with:
# half a megabyte, at the slowest that a client may read (sessions_app/api/outbox.py).
READING_OUT = 30.0
# Seconds that clients, and their consumers, get to end when the process does.
CLOSING = 5.0


class Runner(Protocol):
    """What lives as long as the server does."""

    async def start(self) -> None:
        """Awaited before the first client is let in."""

    async def drain(self, grace: float) -> None:
        """Awaited after the last client was let in; finishes or hands over its work within `grace` seconds."""


class Server(DaphneServer):
    """Serves one ASGI application until SIGTERM or SIGINT; a second signal ends the draining.

    host: the address to listen at; max_frame: bytes of the largest frame a client may send (larger: 1009);
    grace: seconds for `runner.drain`; proxies: the addresses of trusted ones; uploads: where files are sent.
    """

    def __init__(
        self,
        application: Any,
        runner: Runner,
        *,
        port: int,
        max_frame: int,
        grace: float,
        host: str = "127.0.0.1",
        proxies: Sequence[Network] = (),
        uploads: Uploads | None = None,
    ) -> None:
        super().__init__(
            application,
            endpoints=[f"tcp:{port}:interface={host}"],
            websocket_max_message_size=max_frame,
            websocket_max_frame_size=max_frame,
            # A day is Daphne's default; a tab may stay open for longer.
            websocket_timeout=-1,
            # What serves the site is nobody's business.
            server_name="",
        )
        self.runner = runner
        self.host = host
        self.port = port
        self.grace = grace
        self.connections: dict[Any, dict[str, Any]] = {}
        self.proxies = proxies
        self.http_factory = BoundedFactory(self, uploads or Uploads())
        self.ws_factory = WebSocketFactory(self, server="")
        self.ws_factory.protocol = PatientProtocol
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=max_frame,
            maxFramePayloadSize=max_frame,
            # Else a frame too large ends the connection without a close code.
            failByDrop=False,
            closeHandshakeTimeout=READING_OUT,
            perMessageCompressionAccept=deflate.accept,
        )

    def trusts(self, address: str) -> bool:
        """Whether a peer is a trusted proxy."""
        return trusts(self.proxies, address)

    def serve(self, announce: Callable[[str], None]) -> None:
        """Serve until told to stop. `announce` gets the URL once clients are let in. Raises OSError: port taken."""
        shown = warnings.showwarning
        globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
        # Twisted would keep warnings for its own log, which nobody reads.
        warnings.showwarning = shown
        # So whitenoise gives its files, which are small.
        warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        life = loop.create_task(self._live(announce))
        life.add_done_callback(lambda _: reactor.stop())
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.run(installSignalHandlers=False)
        life.result()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> "asyncio.Queue[dict[str, Any]]":
        """Daphne's, but for the queue."""
        inbox = Inbox(protocol) if isinstance(protocol, PatientProtocol) else protocol.take_body()
        scope.setdefault("asgi", {"version": "3.0"})
        running = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(running)
        return inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Daphne's; and what follows it waits while the client does not read. An answer may be broken off."""
        if message["type"] == BROKEN_OFF:
            protocol.break_off()
            return
        goes_on = message["type"] == "http.response.body" and message.get("more_body", False)
        if isinstance(protocol, BoundedRequest):
            protocol.begin_flow() if goes_on else protocol.end_flow()
        await super().handle_reply(protocol, message)
        if goes_on or message["type"] == "websocket.send":
            await protocol.writable.wait()

    async def _live(self, announce: Callable[[str], None]) -> None:
        signals: asyncio.Queue[None] = asyncio.Queue()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, None)
        await self.runner.start()
        Collector().start()
        listening = reactor.listenTCP(self.port, self.http_factory, backlog=1024, interface=self.host)
        # Else the kernel takes 4.4 MB for a client that reads nothing, before anybody notices.
        listening.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        host = f"[{self.host}]" if ":" in self.host else self.host
        announce(f"http://{host}:{listening.getHost().port}/")
        await signals.get()
        listening.stopListening()
        await self._drain(signals)
        await self._close_all()

    async def _drain(self, signals: "asyncio.Queue[None]") -> None:
        draining = asyncio.ensure_future(self.runner.drain(self.grace))
        impatient = asyncio.ensure_future(signals.get())
        await asyncio.wait({draining, impatient}, return_when=asyncio.FIRST_COMPLETED)
        impatient.cancel()
        if not draining.done():
            draining.cancel()
        elif error := draining.exception():
            logger.error("Draining failed.", exc_info=error)

    async def _close_all(self) -> None:
        for protocol in list(self.connections):
            if isinstance(protocol, PatientProtocol) and protocol.state == protocol.STATE_OPEN:
                protocol.serverClose(STOPPING)
        consumers = {
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details
        }
        if not consumers:
            return
        _, late = await asyncio.wait(consumers, timeout=CLOSING)
        for consumer in late:
            consumer.cancel()
        await asyncio.gather(*late, return_exceptions=True)
