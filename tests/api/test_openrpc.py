"""The description at /api/openrpc.json says what the server does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client as Browser

from sessions_app.api import method_types
from sessions_app.api.methods import METHODS, description, memory
from sessions_app.conversations.memory_schemas import MemoriesShape
from sessions_app.errors import CommandError

TOKENS = "fresh_tokens cache_write_tokens cached_tokens output_tokens reasoning_tokens expected_tokens"
TOTALS = f"turns {TOKENS} cost saved unpriced_turns misses retentions".split()
OPENED = ("cursor", "session", "messages", "has_more")
CONTRACT = {
    "session.create": ({}, {"title", "profile", "memory"}, {"session"}),
    "session.list": (set(), {"limit", "cursor", "query", "archived"}, {"cursor", "sessions", "running", "next_cursor"}),
    "session.open": ({"session_id"}, {"limit"}, {*OPENED, "run", "queued", "approvals"}),
    "session.close": ({"session_id"}, set(), set()),
    "session.messages": ({"session_id"}, {"before", "after", "around", "limit"}, {"messages", "has_more", "has_newer"}),
    "session.update": ({"session_id"}, {"title", "archived", "pinned", "memory", "profile"}, {"session"}),
    "session.ledger": ({"session_id"}, set(), {*TOTALS, "profile"}),
    "session.apply_profile": ({"session_id"}, set(), {"session"}),
    "session.delete": ({"session_id"}, set(), set()),
    "session.search": ({"query"}, {"limit", "session_id"}, {"hits"}),
    "turn.start": ({"session_id", "text"}, {"message_id", "revision", "files"}, {"run_id", "message", "queued"}),
    "turn.resume": ({"session_id", "decisions"}, set(), {"run_id"}),
    "turn.regenerate": ({"session_id"}, {"message_id", "profile"}, {"run_id", "session"}),
    "session.compact": ({"session_id"}, {"text", "undo"}, {"run_id"}),
    "message.edit": ({"message_id", "text"}, {"new_id", "files"}, {"run_id", "message", "session"}),
    "branch.select": ({"message_id"}, set(), {"session", "messages", "has_more"}),
    "session.fork": ({"message_id"}, set(), {"session"}),
    "message.rate": ({"message_id", "rating"}, {"comment"}, {"message"}),
    "turn.stop": ({"session_id"}, {"run_id"}, {"stopped"}),
    "profile.list": (set(), set(), {"profiles"}),
    "events.since": ({"cursor"}, {"limit"}, {"events", "cursor", "has_more", "reset"}),
    "share.create": ({"session_id"}, {"until", "audience", "expires_at"}, {"share"}),
    "share.list": ({"session_id"}, set(), {"shares", "audiences"}),
    "share.revoke": ({"share_id"}, set(), set()),
    "memory.list": (set(), set(), {"enabled", "memories"}),
    "memory.add": ({"text"}, set(), {"memory"}),
    "memory.update": ({"memory_id", "text"}, set(), {"memory"}),
    "memory.delete": ({"memory_id"}, set(), set()),
    "memory.switch": ({"enabled"}, set(), {"enabled", "memories"}),
    "memory.decide": ({"message_id", "save"}, set(), {"message", "memory"}),
    "account.features": (set(), set(), {"features"}),
    "account.usage": (set(), set(), {"sessions", "text", "files", "budgets"}),
    "markdown.render": ({"texts"}, set(), {"html"}),
    "rpc.discover": (set(), set(), {"openrpc", "info", "methods"}),
}
SHAPES = {
    "SessionShape": "id title message_count revision created_at updated_at archived pinned memory profile context",
    "ContextShape": "tokens limit",
    "ApprovalShape": "id session_id run_id tool_call_id tool arguments decision",
    "QueuedShape": "run_id message_id text",
    "FileShape": "id name media_type size url",
    "RunShape": "run_id message_id text seq",
    "TurnShape": "session_id run_id status message_id error",
    "TranscriptShape": "session_id revision",
    "ShareShape": "id url created_at until audience expires_at",
    "MemoryShape": "id text created_at",
    "MemoryChangeShape": "enabled count",
    "LedgerShape": f"provider model {TOKENS} miss told_reason cost saved guard retention",
    "RetentionShape": "seconds reason",
    "RetentionCountShape": "seconds turns",
    "MissShape": "cause reason",
    "MissCountShape": "cause reason turns",
    "ProfileShape": "name current",
    "ChoiceShape": "id name description model is_default memory takes_images takes_files input_price",
    "BudgetShape": "name per unit spent limit resets_at scarce unpriced",
    "HitShape": "session_id title message_id position snippet marks",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return description().model_dump(mode="json")


def properties(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the names of the members that an object of this schema has."""
    target = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(target.get("properties", {}))


def test_every_method_of_the_contract_is_described(document: dict[str, Any]) -> None:
    described = {
        method["name"]: (
            {param["name"] for param in method["params"] if param["required"]},
            {param["name"] for param in method["params"] if not param["required"]},
            properties(document, method["result"]["schema"]),
        )
        for method in document["methods"]
    }
    assert described == {name: tuple(map(set, parts)) for name, parts in CONTRACT.items()}
    assert all(method["summary"] for method in document["methods"])


def test_the_shapes_are_the_contracts(document: dict[str, Any]) -> None:
    for name, members in SHAPES.items():
        assert set(document["components"]["schemas"][name]["required"]) == set(members.split())
    message = "id position role text status created_at alternatives"
    assert set(message.split()) <= set(document["components"]["schemas"]["MessageShape"]["properties"])


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        target: Any = document
        for step in reference.split("/"):
            target = target[step]
        assert target


def test_every_error_code_is_described(document: dict[str, Any]) -> None:
    described = {error["code"] for error in document["components"]["errors"].values()}
    assert described == {error.code for error in _subclasses(CommandError)}


def _subclasses(kind: type[CommandError]) -> list[type[CommandError]]:
    return [sub for direct in kind.__subclasses__() for sub in (direct, *_subclasses(direct))]


def test_what_is_left_out_is_neither_null_nor_defaulted(document: dict[str, Any]) -> None:
    update = next(method for method in document["methods"] if method["name"] == "session.update")
    for param in update["params"]:
        assert "default" not in param["schema"]
        assert "null" not in json.dumps(param["schema"])


def test_the_notifications_are_described(document: dict[str, Any]) -> None:
    assert [each["name"] for each in document["x-notifications"]] == ["session.event", "account.changed"]
    for name in ("TurnStarted", "TextDelta", "TurnFinished", "TurnFailed", "SessionChanged", "QueueChanged"):
        assert name in document["components"]["schemas"]


def test_the_address_is_public_and_revalidates(client: Browser) -> None:
    answer = client.get("/api/openrpc.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["openrpc"] == "1.3.2"
    again = client.get("/api/openrpc.json", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.post("/api/openrpc.json").status_code == 405


def test_each_method_has_types_of_its_own_or_shares_them_by_intent() -> None:
    shared = {method_types.SessionParams, method_types.SessionResult, method_types.EmptyResult, method_types.NoParams}
    shared |= {memory.MemoryResult, MemoriesShape}
    for kind in ("params", "result"):
        used = [getattr(method, kind) for method in METHODS.values()]
        assert all(used.count(one) == 1 for one in used if one not in shared)
