"""Which pages of other sites may use the APIs over HTTP: those of HERMES_API_ORIGINS, by a token.

A browser lets a page of another origin read an answer only where that says so (CORS), and asks beforehand (a preflight)
whether it may send what is more than a form. That the session cookie may come along is never said: so no browser shows
such a page what a login would be told. A page that is not listed gets no word of all this.
"""

import re
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse

from hermes_site import error_pages
from hermes_site.headers import SERVER
from hermes_site.web_origins import parse_origin

_ALLOWED = "Access-Control-Allow-Origin"
_VARY = {"Vary": "Origin"}
# What programs read of an answer's head: whose session it is, and when, or whether, to try again.
_EXPOSED = {"Access-Control-Expose-Headers": "X-Session-Id, Retry-After, X-Should-Retry"}
_METHODS = "GET, POST, DELETE"
_HEADER_NAMES = re.compile(r"[a-z0-9-]{1,100}(, ?[a-z0-9-]{1,100}){0,99}", re.IGNORECASE | re.ASCII)
# Seconds for which a browser need not ask again.
_REMEMBERED = "600"


def headers_for(path: str, origin: str) -> dict[str, str]:
    """Return what every answer at an address says of a page's origin, which may be empty."""
    if not settings.HERMES_API_ORIGINS or not path.startswith(_roots()):
        return {}
    if not _is_listed(origin):
        return _VARY
    return {**_VARY, **_EXPOSED, _ALLOWED: origin}


def _is_listed(origin: str) -> bool:
    return parse_origin(origin) in settings.HERMES_API_ORIGINS


@cache
def _roots() -> tuple[str, ...]:
    """Return what the addresses of the APIs begin with."""
    return *error_pages.HTTP_API, f"{reverse('chat')}api/"


class Cors:
    """ASGI middleware: tells browsers, with each answer of the APIs over HTTP, which pages may read it."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        fields = {name: value.decode("latin1") for name, value in scope["headers"]}
        told = headers_for(scope["path"], fields.get(b"origin", ""))
        is_preflight = scope["method"] == "OPTIONS" and b"access-control-request-method" in fields
        if is_preflight and _ALLOWED in told:
            await _answer_preflight(fields.get(b"access-control-request-headers", ""), told, send)
        else:
            await self.application(scope, receive, _telling(told, send) if told else send)


async def _answer_preflight(asked: str, told: dict[str, str], send: Any) -> None:
    """Allow what is asked for: any header may come with a token, so that clients need not be known by name."""
    headers = {
        **SERVER,
        **told,
        "Vary": "Origin, Access-Control-Request-Headers",
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Max-Age": _REMEMBERED,
    }
    if _HEADER_NAMES.fullmatch(asked):
        headers["Access-Control-Allow-Headers"] = asked
    await send({"type": "http.response.start", "status": 204, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": b""})


def _telling(told: dict[str, str], send: Any) -> Any:
    """Return a `send` that adds headers to the head of an answer."""

    async def sent(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_encoded(told)]}
        await send(message)

    return sent


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin1")) for name, value in headers.items()]
