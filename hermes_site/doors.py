"""The addresses of the site's APIs: of its WebSocket, and of what is answered over HTTP beside Django's views."""

from django.urls import reverse

from sessions_app.agui_api.routes import routes as agui_routes
from sessions_app.files_api.routes import files_routes
from sessions_app.http_api import tickets
from sessions_app.http_api.application import Route
from sessions_app.openai_api.routes import ROUTES as OPENAI_ROUTES
from sessions_app.transfer_api.routes import transfer_routes


def socket() -> str:
    """Return the address of the WebSocket: beside the page of the chat, also where that is under a prefix."""
    return f"{reverse('chat')}ws/chat/"


def routes() -> list[Route]:
    """Return all that is answered over HTTP; official clients have the addresses of theirs at the root."""
    prefix = reverse("chat")
    return [
        *OPENAI_ROUTES,
        Route("POST", f"{prefix}api/ticket", tickets.issue, takes_cookie=True, about=tickets.ABOUT),
        *agui_routes(prefix),
        *files_routes(),
        *transfer_routes(),
    ]
