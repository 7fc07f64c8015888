"""`/api/openapi.json`: the description of the APIs over HTTP."""

from functools import cache
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import conditional_page, require_safe

from hermes_site import doors
from sessions_app.http_api import openapi


@require_safe
@conditional_page
def openapi_document(request: HttpRequest) -> JsonResponse:
    """Answer the description: public, because it says nothing that the source does not."""
    # The addresses in it are whole, so the server's has no path.
    server = request.build_absolute_uri("/").rstrip("/")
    return JsonResponse({**_described(), "servers": [{"url": server}]})


@cache
def _described() -> dict[str, Any]:
    return openapi.describe(doors.routes())
