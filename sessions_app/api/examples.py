"""An example of each method, for the API's description: its parameters, and what they are answered with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SESSION_ID = "0b9f2c5e-6a1d-4e57-9c3b-2f8d7a64e101"
_QUESTION_ID = "5d1e8f30-93c4-4b7a-8a52-c0f6b1d9e202"
_ANSWER_ID = "7c40a9d2-1f6b-4d83-b5e9-3a9c8e07f303"
_RUN_ID = "e2a6b714-5c8f-4096-a1d3-96f4c52b8404"
_NEW_ID = "91f3d8c6-e047-4a2b-8d15-b7c2a6e59505"

_SESSION = {
    "id": _SESSION_ID,
    "title": "Calculate 6*7",
    "message_count": 2,
    "revision": 2,
    "created_at": "2026-11-02T08:30:00Z",
    "updated_at": "2026-11-02T08:30:04Z",
    "archived": False,
    "pinned": False,
    "memory": True,
    "profile": 1,
    "context": {"tokens": 61, "limit": 128000},
}
_QUESTION = {
    "id": _QUESTION_ID,
    "position": 0,
    "role": "user",
    "text": "Calculate 6*7",
    "status": "complete",
    "created_at": "2026-11-02T08:30:02Z",
    "alternatives": [],
}
_ANSWER = {
    "id": _ANSWER_ID,
    "position": 1,
    "role": "assistant",
    "text": "That is 42.",
    "status": "complete",
    "created_at": "2026-11-02T08:30:04Z",
    "alternatives": [],
    "model": "openai:gpt-5-mini",
}
_TALK = {"messages": [_QUESTION, _ANSWER], "has_more": False}
_TOKENS = {
    "fresh_tokens": 52,
    "cache_write_tokens": 0,
    "cached_tokens": 0,
    "output_tokens": 9,
    "reasoning_tokens": 0,
    "expected_tokens": 0,
}
_LEDGER = {
    **_TOKENS,
    "turns": 1,
    "cost": 0.000031,
    "saved": 0.0,
    "unpriced_turns": 0,
    "misses": [{"cause": "first", "reason": "first turn of this chat", "turns": 1}],
    "retentions": [],
    "profile": {"name": "Default", "current": True},
}
_PROFILE = {
    "id": 1,
    "name": "Default",
    "description": "Answers short questions.",
    "model": "openai:gpt-5-mini",
    "is_default": True,
    "takes_images": True,
    "takes_files": True,
    "input_price": 0.25,
    "memory": True,
}
_SHARE = {
    "id": _NEW_ID,
    "url": "/share/1rJ0mU5cQm6oYkq2yqY2n3wq8m0XoJb7Qv4c9s1tK6E/",
    "created_at": "2026-11-02T08:31:00Z",
    "until": _ANSWER_ID,
    "audience": "users",
    "expires_at": None,
}
_MEMORY = {"id": _NEW_ID, "text": "I write in British English.", "created_at": "2026-11-02T08:31:00Z"}
_MEMORIES = {"enabled": True, "memories": [_MEMORY]}
_PROPOSAL = {
    "id": _ANSWER_ID,
    "position": 3,
    "role": "tool",
    "text": "Proposed. The user has not said yet whether to keep it.",
    "status": "complete",
    "created_at": "2026-11-02T08:30:05Z",
    "alternatives": [],
    "tool_call_id": "call_1",
    "proposal": "saved",
}
_HIT = {
    "session_id": _SESSION_ID,
    "title": "Calculate 6*7",
    "message_id": _ANSWER_ID,
    "position": 1,
    "snippet": "That is 42.",
    "marks": [[8, 10]],
}
_FACT = {
    "session_id": _SESSION_ID,
    "run_id": None,
    "seq": None,
    "event": {"type": "CUSTOM", "name": "session.updated", "value": _SESSION},
    "cursor": 18,
}
# Of `rpc.discover`; a whole description would hold itself.
_DESCRIPTION = {"openrpc": "1.3.2", "info": {"title": "Hermes Site", "version": "1.0.0"}, "methods": []}


@dataclass(frozen=True, slots=True)
class Example:
    """A request's parameters, and its result."""

    params: dict[str, Any]
    result: dict[str, Any]


_IN_SESSION = {"session_id": _SESSION_ID}
_CHANGED = {"session": _SESSION}
_NOTHING_WAITS: dict[str, Any] = {"queued": [], "approvals": []}
EXAMPLES: Mapping[str, Example] = {
    "session.create": Example({"title": "Calculate 6*7"}, _CHANGED),
    "session.list": Example({"limit": 20}, {"sessions": [_SESSION], "running": [], "next_cursor": None, "cursor": 18}),
    "session.open": Example(_IN_SESSION, {**_TALK, **_CHANGED, **_NOTHING_WAITS, "run": None, "cursor": 18}),
    "session.close": Example(_IN_SESSION, {}),
    "session.messages": Example({**_IN_SESSION, "before": 2}, {**_TALK, "has_newer": False}),
    "session.update": Example({**_IN_SESSION, "pinned": True}, {"session": {**_SESSION, "pinned": True}}),
    "session.ledger": Example(_IN_SESSION, _LEDGER),
    "session.apply_profile": Example(_IN_SESSION, _CHANGED),
    "session.fork": Example({"message_id": _ANSWER_ID}, {"session": {**_SESSION, "id": _NEW_ID}}),
    "session.delete": Example(_IN_SESSION, {}),
    "session.search": Example({"query": "42"}, {"hits": [_HIT]}),
    "session.compact": Example(_IN_SESSION, {"run_id": _RUN_ID}),
    "branch.select": Example({"message_id": _ANSWER_ID}, {**_CHANGED, **_TALK}),
    "message.rate": Example({"message_id": _ANSWER_ID, "rating": 1}, {"message": {**_ANSWER, "rating": 1}}),
    "message.edit": Example(
        {"message_id": _QUESTION_ID, "text": "Calculate 6*8", "new_id": _NEW_ID},
        {
            **_CHANGED,
            "run_id": _RUN_ID,
            "message": {
                **_QUESTION,
                "id": _NEW_ID,
                "text": "Calculate 6*8",
                "alternatives": [_QUESTION_ID],
                "place": 2,
            },
        },
    ),
    "turn.start": Example(
        {**_IN_SESSION, "text": "Calculate 6*7", "message_id": _QUESTION_ID},
        {"run_id": _RUN_ID, "message": _QUESTION, "queued": False},
    ),
    "turn.regenerate": Example({**_IN_SESSION, "message_id": _ANSWER_ID}, {**_CHANGED, "run_id": _RUN_ID}),
    "turn.resume": Example(
        {**_IN_SESSION, "decisions": [{"approval_id": _NEW_ID, "approve": False, "note": "Not to this address."}]},
        {"run_id": _RUN_ID},
    ),
    "turn.stop": Example(_IN_SESSION, {"stopped": True}),
    "profile.list": Example({}, {"profiles": [_PROFILE]}),
    "account.features": Example({}, {"features": ["files", "sharing"]}),
    "share.create": Example({**_IN_SESSION, "until": _ANSWER_ID, "audience": "users"}, {"share": _SHARE}),
    "share.list": Example(_IN_SESSION, {"shares": [_SHARE], "audiences": ["users", "everybody"]}),
    "share.revoke": Example({"share_id": _NEW_ID}, {}),
    "memory.list": Example({}, _MEMORIES),
    "memory.add": Example({"text": "I write in British English."}, {"memory": _MEMORY}),
    "memory.update": Example(
        {"memory_id": _NEW_ID, "text": "I write in British English."},
        {"memory": _MEMORY},
    ),
    "memory.delete": Example({"memory_id": _NEW_ID}, {}),
    "memory.switch": Example({"enabled": True}, _MEMORIES),
    "memory.decide": Example({"message_id": _ANSWER_ID, "save": True}, {"message": _PROPOSAL, "memory": _MEMORY}),
    "events.since": Example({"cursor": 17}, {"events": [_FACT], "cursor": 18, "has_more": False, "reset": False}),
    "account.usage": Example(
        {},
        {
            "sessions": {"count": 1, "quota": 10000},
            "text": {"characters": 24, "quota": 1_000_000_000},
            "files": {"bytes": 0, "quota": 1_000_000_000},
            "budgets": [
                {
                    "name": "Group staff, US dollars per month",
                    "per": "month",
                    "unit": "usd",
                    "spent": 41.5,
                    "limit": 50.0,
                    "resets_at": "2026-12-01T00:00:00Z",
                    "scarce": True,
                    "unpriced": 0,
                }
            ],
        },
    ),
    "markdown.render": Example({"texts": ["*6*"]}, {"html": ["<p><em>6</em></p>\n"]}),
    "rpc.discover": Example({}, _DESCRIPTION),
}
