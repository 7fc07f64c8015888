"""Whether a request with a session cookie comes from a page of this site: Django's own check.

A browser sends the cookie with what any page asks for. Only a page of this site can read the token in the other cookie
and send it as `X-CSRFToken`.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from sessions_app.http_api.errors import ApiError


class _Check(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:
        """Say why, in the place of a page and a line in the log."""
        return reason


def check(scope: Mapping[str, Any]) -> None:
    """Refuse a request that may come from a page of another site. Raises ApiError."""
    # The body is not Django's to read: the token must be in the header.
    headers = [(name, value) for name, value in scope["headers"] if name not in (b"content-type", b"content-length")]
    request = ASGIRequest({**scope, "headers": headers}, BytesIO())
    judge = _Check(lambda _: HttpResponse())
    judge.process_request(request)
    if judge.process_view(request, lambda _: HttpResponse(), (), {}) is not None:
        message = "With a session cookie, send Django's CSRF token as X-CSRFToken, from a page of this site."
        raise ApiError(403, message, kind="permission_error", code="csrf_failed")
