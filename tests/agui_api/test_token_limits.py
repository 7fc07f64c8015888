"""AG-UI over HTTP by a token that was limited when it was made."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.limited import add_profile, add_token
from tests.openai_api.conftest import Program
from tests.processes import PATIENCE

NARROW = "Narrow"


def run(program: Program, token: str, thread: str) -> tuple[int, list[dict[str, Any]]]:
    """Say hello in a thread; return the status and the events, or the error."""
    body = {
        "threadId": thread,
        "runId": f"run of {thread} by {token}",
        "protocolVersion": "1.0",
        "tools": [],
        "context": [],
        "state": {},
        "forwardedProps": {},
        "messages": [{"id": f"message by {token}", "role": "user", "content": "Hello"}],
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{program.site.base_url}/ag-ui/", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
            return answer.status, [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, [json.load(refused)]


def test_a_token_that_only_reads_begins_no_run(program: Program) -> None:
    token = add_token(program.site.database, program.user, reads_only=True)
    status, told = run(program, token, "thread")
    assert (status, told[-1].get("error", told[-1])["code"]) == (403, "permission_denied")
    assert program.sessions() == []


def test_a_thread_of_another_profile_is_a_conflict(program: Program) -> None:
    add_profile(program.site.database, NARROW)
    token = add_token(program.site.database, program.user, profile=NARROW)
    status, told = run(program, program.site.tokens[program.user], "shared")
    assert (status, told[-1]["type"]) == (200, "RUN_FINISHED")
    status, told = run(program, token, "shared")
    assert "conflict" in (told[-1].get("code"), told[-1].get("error", {}).get("code"))
    status, told = run(program, token, "own")
    assert (status, told[-1]["type"]) == (200, "RUN_FINISHED")
    assert len(program.sessions()) == 2
