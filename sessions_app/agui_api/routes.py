"""The addresses of AG-UI over HTTP, and what answers them."""

from __future__ import annotations

from ag_ui.core import AgentCapabilities, RunAgentInput

from sessions_app.agui_api import capabilities, running
from sessions_app.http_api.about import About
from sessions_app.http_api.application import Route

_RUN = About(
    events="ag_ui.core:Event",
    body=RunAgentInput,
    example={
        "threadId": "thread-1",
        "runId": "run-1",
        "messages": [{"id": "message-1", "role": "user", "content": "Calculate 6*7"}],
        "tools": [],
        "context": [],
        "state": {},
        "forwardedProps": {},
    },
    changes=True,
)


def routes(prefix: str) -> list[Route]:
    """Return them; the description is under what addresses of the site begin with."""
    return [
        Route("POST", "/ag-ui/", running.run, takes_cookie=True, about=_RUN),
        Route(
            "GET",
            f"{prefix}api/ag-ui/capabilities",
            capabilities.tell,
            takes_cookie=True,
            about=About(answer=AgentCapabilities),
        ),
    ]
