"""Browsers in which somebody has logged in before, and what a browser is called.

A cookie says in which user's name this browser has logged in. It opens nothing: it only lets the throttle judge that
browser by itself, so that attempts from everywhere else cannot keep its user waiting (OWASP: "device cookies").
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = "known_browser"
LIFETIME = timedelta(days=180)


def known(request: HttpRequest, name: str) -> str | None:
    """Return what tells this browser from others, if the user of this name has logged in with it."""
    value = request.get_signed_cookie(COOKIE, "", salt=__name__, max_age=LIFETIME) or ""
    digest, _, browser = value.partition(":")
    return browser if browser and constant_time_compare(digest, _digest(name)) else None


def remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Let the browser be known from now on for the user who has just logged in."""
    browser = known(request, name) or secrets.token_urlsafe(16)
    response.set_signed_cookie(
        COOKIE,
        f"{_digest(name)}:{browser}",
        salt=__name__,
        max_age=LIFETIME,
        path=reverse("login"),
        httponly=True,
        samesite="Lax",
    )


@lru_cache(maxsize=1_000)
def called(user_agent: str) -> str:
    """Return what a person calls the browser, from its User-Agent: "Firefox on Windows"."""
    from ua_parser import parse  # half a second of tables, for one page only

    found = parse(user_agent)
    browser = found.user_agent.family if found.user_agent else "Unknown browser"
    system = found.device.family if found.device and found.device.brand == "Apple" else found.os and found.os.family
    return f"{browser} on {system}" if system else browser


def _digest(name: str) -> str:
    return salted_hmac(__name__, name.casefold(), algorithm="sha256").hexdigest()
