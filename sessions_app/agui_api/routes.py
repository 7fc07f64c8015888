"""The addresses of AG-UI over HTTP, and what answers them."""

from __future__ import annotations

from sessions_app.agui_api import capabilities, running
from sessions_app.http_api.application import Route

ROOTS = ("/ag-ui/", "/api/ag-ui/")

ROUTES = [
    Route("POST", "/ag-ui/", running.run),
    Route("GET", "/api/ag-ui/capabilities", capabilities.tell),
]
