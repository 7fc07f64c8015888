"""An id for each request, by which its lines in the log are found: that of a trusted proxy, else a fresh one.

It goes out with an answer over HTTP as `X-Request-ID`; a WebSocket has that of its handshake. What anybody else sends
under that name means nothing: it would put words of theirs into the log.
"""

import re
import uuid
from collections.abc import Sequence
from typing import Any

from hermes_site.environment import Network
from hermes_site.proxy import trusts
from sessions_app import log_context
from sessions_app.log_context import LogContext

HEADER = b"x-request-id"
_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class RequestIds:
    """ASGI middleware, before all others: ``networks`` are those of trusted proxies."""

    def __init__(self, application: Any, networks: Sequence[Network]) -> None:
        self.application = application
        self.networks = networks

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request_id = self._sent(scope) or uuid.uuid4().hex
        # The task is the request's own.
        log_context.take(LogContext(request_id))

        async def sent(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                head = [*message.get("headers", ()), (HEADER, request_id.encode())]
                message = {**message, "headers": head}
            await send(message)

        await self.application(scope, receive, sent)

    def _sent(self, scope: dict[str, Any]) -> str:
        """Return the id that a trusted proxy has sent; empty where there is none."""
        host = (scope.get("client") or [""])[0]
        sent = dict(scope["headers"]).get(HEADER, b"")
        return sent.decode() if _ID.fullmatch(sent) and trusts(self.networks, host) else ""
