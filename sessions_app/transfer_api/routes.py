"""The addresses of exports and imports, and what answers them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from sessions_app.http_api.about import About
from sessions_app.http_api.application import Route
from sessions_app.http_api.errors import file_too_large
from sessions_app.http_api.forms import FIELD
from sessions_app.jobs.rows import JobShape
from sessions_app.transfer_api import bringing, jobs, sessions

_CHAT = About(answer=dict[str, Any], media="text/markdown", query=sessions.QUERY)
_EXPORT = About(answer=jobs.JobAnswer, good=202, changes=True)
_IMPORT = About(
    answer=jobs.JobAnswer,
    good=202,
    upload=FIELD,
    changes=True,
    errors={
        409: "Another import is under way.",
        413: "The file is larger than this site takes.",
        507: "There is no room for it.",
    },
)
_JOB = About(answer=JobShape)
_RESULT = About(media="application/zip", fields=jobs.FIELDS, errors={416: "The range has no byte of the file."})


def import_path() -> str:
    """Return where exports are sent that are to be imported."""
    return f"{reverse('chat')}api/account/import"


def refusal() -> str:
    """Return what is said of a larger body."""
    return str(file_too_large(settings.HERMES_MAX_IMPORT, FIELD))


def transfer_routes() -> list[Route]:
    """Return the routes of exports and imports: beside the page of the chat, also where that is under a prefix."""
    root = f"{reverse('chat')}api/"
    return [
        Route("GET", f"{root}sessions/{{session_id}}/export", sessions.export, takes_cookie=True, about=_CHAT),
        Route("POST", f"{root}account/export", jobs.ask_for_export, takes_cookie=True, about=_EXPORT),
        Route("POST", import_path(), bringing.ask_for_import, takes_cookie=True, about=_IMPORT),
        Route("GET", f"{root}jobs/{{job_id}}/result", jobs.give, takes_cookie=True, about=_RESULT),
        Route("GET", f"{root}jobs/{{job_id}}", jobs.show, takes_cookie=True, about=_JOB),
    ]
