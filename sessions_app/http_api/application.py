"""The ASGI application of the APIs over HTTP: who asks, by a token of this host, and what; every error in one form.

Not views of Django's: its middleware would keep a thread for each answer, as long as that takes. A session cookie
counts only where a route takes it, and with Django's CSRF token unless the method is a safe one; with a token it never
does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from django.conf import settings

from sessions_app import log_context, tracing
from sessions_app.api import identifying
from sessions_app.api.auth import Caller, CookieCaller, Unauthorised
from sessions_app.api.limits import Limits
from sessions_app.api.revocation import Doorkeeper
from sessions_app.errors import CommandError
from sessions_app.http_api import csrf
from sessions_app.http_api.about import About
from sessions_app.http_api.errors import ApiError, Gone, of_command, too_many, unauthorised
from sessions_app.http_api.exchange import Exchange
from sessions_app.turns.runner import Runner

logger = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[None]]
"""``await handler(exchange, caller, **names)``: answers; ``names`` are those in the route's path."""
# Seconds after which a user with too many requests at once may try again.
_BUSY_SECONDS = 5


class Route:
    """What answers a method at an address; ``{name}`` in its path stands for any text there.

    ``takes_cookie``: whether a user's page may ask by its login. ``about`` is for the description of the API.
    """

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        takes_cookie: bool = False,
        about: About | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.handler = handler
        self.takes_cookie = takes_cookie
        self.about = about
        self._pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(path)))

    def names(self, path: str) -> dict[str, str] | None:
        """Return what stands for the names in a path, None for one of another route."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None


class HttpApi:
    """Lives as long as the process. ``doorkeeper`` and ``limits`` are the socket's; every answer has ``headers``."""

    def __init__(
        self,
        routes: Iterable[Route],
        runner: Runner,
        doorkeeper: Doorkeeper,
        limits: Limits,
        headers: Mapping[str, str],
    ) -> None:
        self._routes = list(routes)
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
                await exchange.break_off()
            else:
                await exchange.answer(refused.body, status=refused.status, headers=refused.headers)

    async def _answer(self, exchange: Exchange) -> None:
        route, names = self._route(exchange.scope["method"], exchange.scope["path"])
        caller = await _caller(exchange, takes_cookie=route.takes_cookie)
        if wait := self._limits.commands.excess(caller.user_id):
            raise too_many("Too many requests.", wait)
        if not self._limits.connections.take(caller.user_id, settings.HERMES_CONNECTIONS_PER_USER):
            raise too_many("Too many connections at once.", _BUSY_SECONDS)
        try:
            await route.handler(exchange, caller, **names)
        finally:
            self._limits.connections.give_back(caller.user_id)

    def has(self, path: str) -> bool:
        """Tell whether something is answered at an address, by whatever method."""
        return any(route.names(path) is not None for route in self._routes)

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return what answers at an address, and what stands for the names in its path. Raises ApiError."""
        found = [(route, names) for route in self._routes if (names := route.names(path)) is not None]
        if not found:
            raise ApiError(404, "There is nothing at this address.", code="unknown_url")
        for route, names in found:
            if route.method == method:
                return route, names
        allowed = ", ".join(dict.fromkeys(route.method for route, _ in found))
        raise ApiError(405, f"Only {allowed} is allowed here.", code="method_not_allowed", headers={"Allow": allowed})


async def _caller(exchange: Exchange, *, takes_cookie: bool) -> Caller:
    """Return who asks. Raises Unauthorised, ApiError."""
    counting = (b"authorization", b"cookie") if takes_cookie else (b"authorization",)
    headers = [(name, value) for name, value in exchange.scope["headers"] if name in counting]
    caller = await identifying.identify(headers, identifying.address_of(exchange.scope))
    if caller is None:
        raise Unauthorised
    log_context.note_user(caller.user_id)
    tracing.follow(exchange.scope["headers"])
    if isinstance(caller, CookieCaller):
        # A page of another site can have a browser send the cookie.
        csrf.check(exchange.scope)
    return caller


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
