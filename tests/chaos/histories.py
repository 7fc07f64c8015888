"""What a provider must have been sent, made anew from the stored rows."""

from __future__ import annotations

import json
from uuid import UUID

from sessions_app.llm.content.codec import decode
from sessions_app.llm.content.rows import Row
from sessions_app.llm.wire.splicing import dumped
from tests.chaos.evidence import Evidence, StoredBranch, StoredMessage
from tests.chaos.provider import Request
from tests.chaos.view import Json
from tests.guard.oracle import Oracle


async def whole_histories(evidence: Evidence, oracle: Oracle) -> list[str]:
    """Every request is the stored line up to the text that it asks about, as made anew from the rows."""
    wrong = []
    asked = {message.text: message for message in evidence.messages if message.role == "user"}
    whole = {
        branch: await _request_for_all(evidence, evidence.branches[branch], oracle)
        for branch in {message.branch for message in asked.values()}
    }
    for request in evidence.requests:
        message = asked.get(request.text)
        if message is None:
            if not _of_a_deleted(evidence, request):
                wrong.append(f"nobody said what is asked in {request}")
            continue
        body = whole[message.branch]
        [place] = [place for place, each in enumerate(body["messages"]) if each["content"] == request.text]
        expected = body | {"messages": body["messages"][: place + 1]}
        if dumped(expected) != dumped(request.body):
            wrong.append(f"request {request.number} for {message} is {request.body}, and not {expected}")
    return wrong


def _of_a_deleted(evidence: Evidence, request: Request) -> bool:
    said = (*evidence.doings.sent, *evidence.doings.unacknowledged, *evidence.doings.perhaps)
    return any(sent.text == request.text and sent.session_id in evidence.doings.deleted for sent in said)


async def _request_for_all(evidence: Evidence, branch: StoredBranch, oracle: Oracle) -> Json:
    """What is asked, with a whole line, about its last text: each earlier request is the beginning of that."""
    session_id, rows = branch.session_id, evidence.line(branch)
    while rows and rows[-1].role != "user":
        rows.pop()
    body: Json = json.loads(await oracle.body(UUID(session_id), evidence.prefixes[session_id], [_row(r) for r in rows]))
    return body


def _row(row: StoredMessage) -> Row:
    parts = decode(None if row.parts is None else json.loads(row.parts))
    return Row(row.role, row.text, parts, row.status)  # type: ignore[arg-type]
