"""Which pages may open a WebSocket: with a user's cookie those of this very site, with a ticket also some others.

A browser sends the session cookie with a handshake from any page, and no same-origin rule keeps that page from
reading the answers; only the Origin header tells. Channels' validator, given bare hosts, ignores the port.
"""

from typing import Any

from django.conf import settings
from django.http import parse_cookie
from django.http.request import validate_host

from hermes_site.web_origins import Origin, parse_origin
from sessions_app.api.identifying import ticket_of


class OwnOrigin:
    """ASGI middleware: refuses (403) a handshake with a session cookie whose Origin is foreign or missing.

    A handshake with a Bearer token passes: no page can make a browser send one. (`Basic` a page can, in the URL.)
    One with a ticket, whose cookie does not count, passes without an Origin and from those of HERMES_API_ORIGINS, too.
    The site's own origin is the Host header, where ALLOWED_HOSTS holds it; CSRF_TRUSTED_ORIGINS adds to it.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin1") for name, value in scope["headers"]}
        if not _may_pass(headers, scope):
            await send({"type": "websocket.close"})
            return
        await self.application(scope, receive, send)


def _may_pass(headers: dict[bytes, str], scope: dict[str, Any]) -> bool:
    if headers.get(b"authorization", "").lower().startswith("bearer "):
        return True
    scheme = scope.get("scheme", "ws")
    if ticket_of(scope) is not None:
        return b"origin" not in headers or _is_listed(headers) or _is_own(headers, scheme)
    has_cookie = settings.SESSION_COOKIE_NAME in parse_cookie(headers.get(b"cookie", ""))
    return not has_cookie or _is_own(headers, scheme)


def _is_listed(headers: dict[bytes, str]) -> bool:
    return parse_origin(headers[b"origin"]) in settings.HERMES_API_ORIGINS


def _is_own(headers: dict[bytes, str], scheme: str) -> bool:
    origin = parse_origin(headers.get(b"origin", ""))
    if origin is None:
        return False
    own = parse_origin(f"{'https' if scheme == 'wss' else 'http'}://{headers.get(b'host', '')}")
    if origin == own and validate_host(own[1], settings.ALLOWED_HOSTS):
        return True
    return any(_matches(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


def _matches(origin: Origin, trusted: str) -> bool:
    """Whether an entry of CSRF_TRUSTED_ORIGINS, which may begin with `https://*.`, names this origin."""
    allowed = parse_origin(trusted.replace("://*.", "://"))
    if allowed is None or (origin[0], origin[2]) != (allowed[0], allowed[2]):
        return False
    return origin[1].endswith(f".{allowed[1]}") if "://*." in trusted else origin[1] == allowed[1]
