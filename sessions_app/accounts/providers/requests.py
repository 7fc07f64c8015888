"""Requests to a provider: bounded in time and size, and answered by one JSON object or not at all.

An operator has set the provider's address, which may be inside; all others come from it. Redirections are not followed:
a request may have the client's secret. They are made in the thread of the request that waits for them.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.db import connection
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

CONNECT_SECONDS, SILENT_SECONDS = 5.0, 5.0
SECONDS = 15.0
"""The longest that one answer takes, all in all."""
MAX_BYTES = 2_000_000
"""Of one answer: 5,000 groups with names of 100 characters are half a megabyte."""
_PIECE_BYTES = 64 * 1024


class UnusableAnswer(OAuth2Error):
    """What a provider answered cannot be used. The text is for the log: it has nothing secret."""


class ProviderSession(requests.Session):
    """Raises UnusableAnswer and ``requests``' own errors."""

    def __init__(self) -> None:
        super().__init__()
        # With some, a file of the host's user (.netrc) is not asked for others.
        self.auth = _NoOthers()

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Ask, and read the answer whole. No connection to the database is held meanwhile: others have work for it."""
        if not connection.in_atomic_block:
            connection.close()
        until = time.monotonic() + SECONDS
        options |= {"timeout": (CONNECT_SECONDS, SILENT_SECONDS), "allow_redirects": False, "stream": True}
        try:
            with super().request(method, url, **options) as response:
                response._content = _whole(response, until)
        except (UnicodeError, HTTPError) as error:
            # What no request can be made of passes `requests` by: a host's name, or a token in a header.
            raise UnusableAnswer(f"a request cannot be made of its answer ({type(error).__name__})") from error
        found = _object_in(response.content)
        if response.status_code not in (200, 201):
            raise UnusableAnswer(f"{_host(response)} answered {response.status_code} {_code_in(found)}".rstrip())
        if found is None:
            raise UnusableAnswer(f"{_host(response)} answered no JSON object")
        # Whatever it calls it: allauth reads a form in the place of JSON by this.
        response.headers["Content-Type"] = "application/json"
        return response


class _NoOthers(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _whole(response: requests.Response, until: float) -> bytes:
    body = bytearray()
    for piece in response.iter_content(_PIECE_BYTES):
        body += piece
        if len(body) > MAX_BYTES:
            raise UnusableAnswer(f"{_host(response)} answered more than {MAX_BYTES:,} bytes")
        if time.monotonic() > until:
            raise UnusableAnswer(f"{_host(response)} did not answer in {SECONDS:g} seconds")
    return bytes(body)


def _object_in(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _code_in(found: dict[str, Any] | None) -> str:
    """What OAuth calls the error: a word."""
    code = (found or {}).get("error")
    return code[:60] if isinstance(code, str) and code.isascii() and code.isprintable() else ""


def _host(response: requests.Response) -> str:
    return urlsplit(response.url).netloc
