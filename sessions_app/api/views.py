"""The HTTP side of the API: its description."""

from __future__ import annotations

import hashlib
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

from sessions_app.api import openrpc


@cache
def _etag() -> str:
    return f'"{hashlib.sha256(openrpc.document().encode()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=lambda request: _etag())
def openrpc_document(request: HttpRequest) -> HttpResponse:
    """Answer ``/api/openrpc.json``: public, because it says nothing that the source does not."""
    return HttpResponse(openrpc.document(), content_type="application/json")
