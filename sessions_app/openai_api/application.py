"""The ASGI application of ``/v1/``: who asks, by a token of this host, and what; every error in OpenAI's form.

Not a view of Django's: its middleware would keep a thread for each answer, as long as that takes. Nothing of a browser
matters here either: a cookie never counts.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from django.conf import settings

from sessions_app.api import auth
from sessions_app.api.auth import Caller, Unauthorised
from sessions_app.api.limits import Limits
from sessions_app.api.revocation import Doorkeeper
from sessions_app.errors import CommandError
from sessions_app.openai_api import chat, models
from sessions_app.openai_api.errors import ApiError, of_command, too_many, unauthorised
from sessions_app.openai_api.exchange import Exchange
from sessions_app.openai_api.following import Gone
from sessions_app.turns.runner import Runner

logger = logging.getLogger(__name__)

ROOT = "/v1/"

Handler = Callable[[Exchange, Caller], Awaitable[None]]
_HANDLERS: dict[str, tuple[str, Handler]] = {
    "models": ("GET", models.listing),
    "chat/completions": ("POST", chat.complete),
}
# Seconds after which a user with too many requests at once may try again.
_BUSY_SECONDS = 5


class OpenAIApi:
    """Lives as long as the process. ``doorkeeper`` and ``limits`` are the socket's; every answer has ``headers``."""

    def __init__(self, runner: Runner, doorkeeper: Doorkeeper, limits: Limits, headers: Mapping[str, str]) -> None:
        self._runner = runner
        self._doorkeeper = doorkeeper
        self._limits = limits
        self._headers = headers

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, send, self._runner, self._doorkeeper, self._headers)
        try:
            await self._answer(exchange)
        except Gone:
            pass
        except Exception as error:
            refused = _refusal(error)
            if exchange.started:
                await exchange.end_stream()
            else:
                await exchange.answer(refused.body, status=refused.status, headers=refused.headers)

    async def _answer(self, exchange: Exchange) -> None:
        handler = _handler(exchange.scope["method"], exchange.scope["path"].removeprefix(ROOT))
        caller = await self._caller(exchange)
        if wait := self._limits.commands.excess(caller.user_id):
            raise too_many("Too many requests.", wait)
        if not self._limits.connections.take(caller.user_id, settings.HERMES_CONNECTIONS_PER_USER):
            raise too_many("Too many connections at once.", _BUSY_SECONDS)
        try:
            await handler(exchange, caller)
        finally:
            self._limits.connections.give_back(caller.user_id)

    async def _caller(self, exchange: Exchange) -> Caller:
        # The token alone: a page of another site could send a cookie.
        tokens = [(name, value) for name, value in exchange.scope["headers"] if name == b"authorization"]
        caller = await auth.identify(tokens, auth.address_of(exchange.scope))
        if caller is None:
            raise Unauthorised
        return caller


def _handler(method: str, path: str) -> Handler:
    """Return what answers an address. Raises ApiError."""
    found: tuple[str, Handler] | None = _HANDLERS.get(path)
    if path.startswith("models/"):
        found = "GET", partial(models.one, name=path.removeprefix("models/"))
    if found is None:
        raise ApiError(404, "There is nothing at this address.", code="unknown_url")
    allowed, handler = found
    if method != allowed:
        raise ApiError(405, f"Only {allowed} is allowed here.", code="method_not_allowed", headers={"Allow": allowed})
    return handler


def _refusal(error: Exception) -> ApiError:
    match error:
        case ApiError():
            return error
        case Unauthorised():
            return unauthorised()
        case CommandError():
            return of_command(error)
        case _:
            # Nothing that the caller sent is logged.
            logger.error("a request failed", exc_info=error)
            return ApiError(500, "Something went wrong on the server.", kind="server_error", code="internal")
