"""The addresses of exports and imports, and what answers them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from sessions_app.http_api.about import About
from sessions_app.http_api.application import Route
from sessions_app.jobs.rows import JobShape
from sessions_app.transfer_api import jobs, sessions

_CHAT = About(answer=dict[str, Any], media="text/markdown", query=sessions.QUERY)
_EXPORT = About(answer=jobs.JobAnswer, good=202, changes=True)
_JOB = About(answer=JobShape)
_RESULT = About(media="application/zip", fields=jobs.FIELDS, errors={416: "The range has no byte of the file."})


def transfer_routes() -> list[Route]:
    """Return the routes of exports and imports: beside the page of the chat, also where that is under a prefix."""
    root = f"{reverse('chat')}api/"
    return [
        Route("GET", f"{root}sessions/{{session_id}}/export", sessions.export, takes_cookie=True, about=_CHAT),
        Route("POST", f"{root}account/export", jobs.ask_for_export, takes_cookie=True, about=_EXPORT),
        Route("GET", f"{root}jobs/{{job_id}}/result", jobs.give, takes_cookie=True, about=_RESULT),
        Route("GET", f"{root}jobs/{{job_id}}", jobs.show, takes_cookie=True, about=_JOB),
    ]
