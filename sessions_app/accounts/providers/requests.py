"""Requests to a provider: bounded in time and size, and answered by one JSON object or not at all.

An operator has set the provider's address, which may be inside; all others come from it. Redirections are not followed:
a request may have the client's secret. They are made in the thread of the request that waits for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.db import connection
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from sessions_app.accounts.providers.deadline import BoundedAdapter, Deadline

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
        response = self._answer(method, url, **options)
        found = _object_in(response.content)
        if response.status_code not in (200, 201):
            raise UnusableAnswer(f"{_host(response)} answered {response.status_code} {_code_in(found)}".rstrip())
        if found is None:
            raise UnusableAnswer(f"{_host(response)} answered no JSON object")
        # Whatever it calls it: allauth reads a form in the place of JSON by this.
        response.headers["Content-Type"] = "application/json"
        return response

    def _answer(self, method: str, url: str, **options: Any) -> requests.Response:
        """Return an answer, whole. Over connections of its own: a deadline watches those of one exchange."""
        options |= {"timeout": (CONNECT_SECONDS, SILENT_SECONDS), "allow_redirects": False, "stream": True}
        with Deadline(SECONDS) as deadline, closing(BoundedAdapter(deadline)) as adapter:
            for scheme in list(self.adapters):
                self.mount(scheme, adapter)
            with _refusing_what_is_late(deadline, urlsplit(url).netloc):
                with super().request(method, url, **options) as response:
                    response._content = _whole(response)
                return response


@contextmanager
def _refusing_what_is_late(deadline: Deadline, host: str) -> Iterator[None]:
    """Raise UnusableAnswer where the time was over: a head that was cut off then may look like a whole one."""
    try:
        yield
    except (UnicodeError, HTTPError) as error:
        if not deadline.is_over:
            # What no request can be made of passes `requests` by: a host's name, or a token in a header.
            raise UnusableAnswer(f"a request cannot be made of its answer ({type(error).__name__})") from error
    except requests.RequestException:
        if not deadline.is_over:
            raise
    if deadline.is_over:
        raise UnusableAnswer(f"{host} did not answer in {SECONDS:g} seconds")


class _NoOthers(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _whole(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(_PIECE_BYTES):
        body += piece
        if len(body) > MAX_BYTES:
            raise UnusableAnswer(f"{_host(response)} answered more than {MAX_BYTES:,} bytes")
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
