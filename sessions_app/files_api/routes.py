"""The addresses of files, and what answers them."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from sessions_app.conversations.file_schemas import FileShape
from sessions_app.files_api import giving, taking
from sessions_app.http_api.about import About
from sessions_app.http_api.application import Route
from sessions_app.http_api.errors import file_too_large
from sessions_app.http_api.forms import FIELD

AROUND_BYTES = 64 * 1024
"""Of a body, beside the file in it."""


_NEW = About(
    answer=FileShape,
    good=201,
    upload="file",
    changes=True,
    errors={
        413: "The file is larger than this site takes.",
        415: "It is none that can be read: what is wrong with it.",
        507: "There is no room for it.",
    },
)
_BYTES = About(media="application/octet-stream")
_REMOVAL = About(good=204, changes=True, errors={409: "A message has it."})


def files_root() -> str:
    """Return where files are sent: beside the page of the chat, also where that is under a prefix."""
    return f"{reverse('chat')}api/files/"


def refusal() -> str:
    """Return what is said of a larger body."""
    return str(file_too_large(settings.HERMES_MAX_FILE, FIELD))


def files_routes() -> list[Route]:
    """Return the routes of files."""
    root = files_root()
    return [
        Route("POST", root, taking.take, takes_cookie=True, about=_NEW),
        Route("GET", f"{root}{{file_id}}", giving.give, takes_cookie=True, about=_BYTES),
        Route("DELETE", f"{root}{{file_id}}", giving.remove, takes_cookie=True, about=_REMOVAL),
    ]
