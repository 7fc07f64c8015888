"""The addresses of AG-UI over HTTP, and what answers them."""

from __future__ import annotations

from sessions_app.agui_api import capabilities, running
from sessions_app.http_api.application import Route


def routes(prefix: str) -> list[Route]:
    """Return them, under what all addresses of the site begin with."""
    return [
        Route("POST", f"{prefix}ag-ui/", running.run, takes_cookie=True),
        Route("GET", f"{prefix}api/ag-ui/capabilities", capabilities.tell, takes_cookie=True),
    ]
