"""The HTTP side of the API: its description."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import conditional_page, require_safe

from sessions_app.api.methods import description


@require_safe
@conditional_page
def openrpc_document(request: HttpRequest) -> HttpResponse:
    """Answer ``/api/openrpc.json``: public, because it says nothing that the source does not."""
    # http becomes ws, and https wss.
    server = request.build_absolute_uri("../ws/chat/").replace("http", "ws", 1)
    return HttpResponse(description().at(server).model_dump_json(), content_type="application/json")
