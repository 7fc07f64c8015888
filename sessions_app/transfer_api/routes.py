"""The addresses of exports and imports, and what answers them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from sessions_app.http_api.about import About
from sessions_app.http_api.application import Route
from sessions_app.transfer_api import sessions

_CHAT = About(answer=dict[str, Any], media="text/markdown", query=sessions.QUERY)


def transfer_routes() -> list[Route]:
    """Return the routes of exports and imports: beside the page of the chat, also where that is under a prefix."""
    root = f"{reverse('chat')}api/"
    return [Route("GET", f"{root}sessions/{{session_id}}/export", sessions.export, takes_cookie=True, about=_CHAT)]
