"""Bad frames and parameters: the contract's code, the connection stays, nothing is changed."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import override_settings

from sessions_app.api.methods import METHODS
from tests.api.client import Client, RpcError
from tests.api.conftest import Connect

SOME_ID = str(uuid4())
# What each method needs; a value that would be found is never looked for.
NEEDED: dict[str, dict[str, Any]] = {
    "session.create": {},
    "session.list": {},
    "session.open": {"session_id": SOME_ID},
    "session.close": {"session_id": SOME_ID},
    "session.messages": {"session_id": SOME_ID, "before": 1},
    "session.update": {"session_id": SOME_ID},
    "session.ledger": {"session_id": SOME_ID},
    "session.apply_profile": {"session_id": SOME_ID},
    "session.delete": {"session_id": SOME_ID},
    "session.search": {"query": "q"},
    "turn.start": {"session_id": SOME_ID, "text": "t"},
    "turn.stop": {"session_id": SOME_ID},
    "turn.resume": {"session_id": SOME_ID, "decisions": [{"approval_id": SOME_ID, "approve": True}]},
    "turn.regenerate": {"session_id": SOME_ID},
    "session.compact": {"session_id": SOME_ID},
    "message.edit": {"message_id": SOME_ID, "text": "t"},
    "branch.select": {"message_id": SOME_ID},
    "session.fork": {"message_id": SOME_ID},
    "message.rate": {"message_id": SOME_ID, "rating": 1},
    "profile.list": {},
    "events.since": {"cursor": 0},
    "account.features": {},
    "account.usage": {},
    "share.create": {"session_id": SOME_ID},
    "share.list": {"session_id": SOME_ID},
    "share.revoke": {"share_id": SOME_ID},
    "memory.list": {},
    "memory.add": {"text": "t"},
    "memory.update": {"memory_id": SOME_ID, "text": "t"},
    "memory.delete": {"memory_id": SOME_ID},
    "memory.switch": {"enabled": True},
    "memory.decide": {"message_id": SOME_ID, "save": True},
    "markdown.render": {"texts": ["t"]},
    "rpc.discover": {},
}
NOT_A_TEXT: list[Any] = [5, True, None, ["a"], {}, "\0", "a\0b", "\ud800", "a\udfffb"]
NOT_AN_ID: list[Any] = [5, None, "", "x", SOME_ID[:-1], SOME_ID + "\n", SOME_ID.replace("-", ""), "{" + SOME_ID + "}"]
NOT_AN_ID += [SOME_ID + "-", SOME_ID + "}", f"urn:uuid:{SOME_ID}", "\u0660" + SOME_ID[1:], [SOME_ID]]
NOT_A_LIMIT: list[Any] = [0, -1, 201, "5", 5.0, True, None, 10**30]
NOT_FILES: list[Any] = [None, "x", 5, {}, ["x"], [None], [SOME_ID] * 21]
NOT_A_POSITION: list[Any] = [-1, "5", 5.5, True, None, 2**63]
NOT_A_PROFILE: list[Any] = [0, -1, "1", 1.5, True, None, 2**63]
NOT_A_FLAG: list[Any] = [0, 1, "true", None]
NOT_A_CURSOR: list[Any] = [5, "", "x", "é", "AAAA", "W10=", "WzEsMl0=", "bnVsbA==", "[" * 9, ["a"]]
NOT_A_MOMENT: list[Any] = [5, None, True, "", "tomorrow", "2027-01-31", "2027-01-31T12:00:00", "2027-02-31T12:00:00Z"]
NOT_A_MOMENT += ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", [], {}]
DECISION: dict[str, Any] = {"approval_id": SOME_ID, "approve": True}
NOT_DECISIONS: list[Any] = [None, "x", 5, {}, [], ["x"], [None], [{}], [DECISION, DECISION], [{**DECISION, "more": 1}]]
NOT_DECISIONS += [[{**DECISION, "approval_id": each}] for each in NOT_AN_ID]
NOT_DECISIONS += [[{**DECISION, "approve": each}] for each in NOT_A_FLAG]
NOT_DECISIONS += [[{**DECISION, "note": each}] for each in NOT_A_TEXT]
NOT_DECISIONS += [[{**DECISION, "approve": False, "always": True}], [{**DECISION, "always": None}]]
BAD: dict[tuple[str, str], list[Any]] = {
    ("session.create", "title"): NOT_A_TEXT,
    ("session.create", "profile"): NOT_A_PROFILE,
    ("session.create", "memory"): NOT_A_FLAG,
    ("session.list", "limit"): NOT_A_LIMIT,
    ("session.list", "cursor"): NOT_A_CURSOR,
    ("session.list", "query"): NOT_A_TEXT,
    ("session.list", "archived"): NOT_A_FLAG,
    ("session.open", "session_id"): NOT_AN_ID,
    ("session.open", "limit"): NOT_A_LIMIT,
    ("session.close", "session_id"): NOT_AN_ID,
    ("session.messages", "session_id"): NOT_AN_ID,
    ("session.messages", "before"): NOT_A_POSITION,
    ("session.messages", "after"): NOT_A_POSITION,
    ("session.messages", "around"): NOT_AN_ID,
    ("session.messages", "limit"): NOT_A_LIMIT,
    ("session.update", "session_id"): NOT_AN_ID,
    ("session.update", "title"): [*NOT_A_TEXT, "", " \t\n"],
    ("session.update", "archived"): NOT_A_FLAG,
    ("session.update", "pinned"): NOT_A_FLAG,
    ("session.update", "memory"): NOT_A_FLAG,
    ("session.update", "profile"): NOT_A_PROFILE,
    ("session.ledger", "session_id"): NOT_AN_ID,
    ("session.apply_profile", "session_id"): NOT_AN_ID,
    ("session.delete", "session_id"): NOT_AN_ID,
    ("session.search", "query"): [*NOT_A_TEXT, "", "  \u3000\n"],
    ("session.search", "limit"): NOT_A_LIMIT,
    ("session.search", "session_id"): NOT_AN_ID,
    ("turn.start", "session_id"): NOT_AN_ID,
    ("turn.start", "text"): [*NOT_A_TEXT, "", " \u2028\n"],
    ("turn.start", "files"): NOT_FILES,
    ("turn.start", "message_id"): NOT_AN_ID,
    ("turn.start", "revision"): NOT_A_POSITION,
    ("turn.regenerate", "session_id"): NOT_AN_ID,
    ("turn.regenerate", "message_id"): NOT_AN_ID,
    ("turn.regenerate", "profile"): NOT_A_PROFILE,
    ("turn.resume", "session_id"): NOT_AN_ID,
    ("turn.resume", "decisions"): NOT_DECISIONS,
    ("session.compact", "session_id"): NOT_AN_ID,
    ("session.compact", "text"): [*NOT_A_TEXT, "", " \u2028\n"],
    ("session.compact", "undo"): NOT_A_FLAG,
    ("message.edit", "message_id"): NOT_AN_ID,
    ("message.edit", "text"): [*NOT_A_TEXT, "", " \u2028\n"],
    ("message.edit", "files"): NOT_FILES,
    ("message.edit", "new_id"): NOT_AN_ID,
    ("branch.select", "message_id"): NOT_AN_ID,
    ("session.fork", "message_id"): NOT_AN_ID,
    ("message.rate", "message_id"): NOT_AN_ID,
    ("message.rate", "rating"): [0, 2, -2, "1", 1.0, True, {}],
    ("message.rate", "comment"): NOT_A_TEXT,
    ("turn.stop", "session_id"): NOT_AN_ID,
    ("turn.stop", "run_id"): NOT_AN_ID,
    ("events.since", "cursor"): [-1, 2**63, 1.0, "1", None, True, [], {}],
    ("events.since", "limit"): NOT_A_LIMIT,
    ("share.create", "session_id"): NOT_AN_ID,
    ("share.create", "until"): NOT_AN_ID,
    ("share.create", "audience"): [5, None, True, "", "nobody", "Users", ["users"], {}],
    ("share.create", "expires_at"): NOT_A_MOMENT,
    ("share.list", "session_id"): NOT_AN_ID,
    ("share.revoke", "share_id"): NOT_AN_ID,
    ("memory.add", "text"): [*NOT_A_TEXT, "", " \u2028\n"],
    ("memory.update", "memory_id"): NOT_AN_ID,
    ("memory.update", "text"): [*NOT_A_TEXT, "", " \u2028\n"],
    ("memory.delete", "memory_id"): NOT_AN_ID,
    ("memory.switch", "enabled"): NOT_A_FLAG,
    ("memory.decide", "message_id"): NOT_AN_ID,
    ("memory.decide", "save"): NOT_A_FLAG,
    ("markdown.render", "texts"): ["t", [], [5], [None], ["\0"], ["t"] * 201, {}, None],
}


async def assert_alive(client: Client) -> None:
    assert (await client.call("session.list"))["sessions"] == []


def test_every_parameter_of_every_method_is_tried() -> None:
    declared = {(name, field) for name, method in METHODS.items() for field in method.params.model_fields}
    assert declared == set(BAD)
    assert METHODS.keys() == NEEDED.keys()


async def test_a_wrong_value_is_refused(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    others = []
    for (method, name), values in BAD.items():
        for value in values:
            code = await code_of(client, method, {**NEEDED[method], name: value})
            others += [(method, name, value, code)] if code != -32602 else []
    assert others == []
    await assert_alive(client)


async def code_of(client: Client, method: str, params: dict[str, Any]) -> int | None:
    """The code of a refusal; None where there was a result instead."""
    try:
        await client.call(method, **params)
    except RpcError as error:
        return error.code
    return None


async def test_what_is_missing_or_unknown_is_refused(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    others: list[Any] = []
    for method, needed in NEEDED.items():
        less = [{key: value for key, value in needed.items() if key != name} for name in needed]
        for params in ({**needed, "surprise": 1}, *less):
            code = await code_of(client, method, params)
            others += [(method, params, code)] if code != -32602 else []
        by_position = {"jsonrpc": "2.0", "id": "p", "method": method, "params": [SOME_ID]}
        code = (await client.raw(json.dumps(by_position), "p")).code
        others += [(method, "by position", code)] if code != -32602 else []
    assert others == []


async def test_an_unknown_method_is_told(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for method in ("", "x", "session", "session.creates", "turn.regenerates", "message", "\ud800\0"):
        assert (await client.refusal(method)).code == -32601, method


async def test_frames_that_are_no_request_are_answered_and_close_nothing(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    assert (await client.raw("{")).code == -32700
    assert (await client.raw('{"id": NaN}')).code == -32700
    assert (await client.raw("[" * 5000)).code == -32700
    assert (await client.raw("[]")).code == -32600
    assert (await client.raw('{"jsonrpc":"2.0","id":7,"method":5}', 7)).code == -32600
    await assert_alive(client)


async def test_a_refusal_repeats_nothing_of_what_was_sent(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for params in ({"title": ["secret"]}, {"secret": 1}, {"title": "secret\0"}):
        assert "secret" not in (await client.refusal("session.create", **params)).frame


@override_settings(HERMES_MAX_TEXT=10)
async def test_what_is_too_long_is_told_with_the_limit_before_what_is_not_found(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    for method, params, limit in (
        ("session.create", {"title": "t" * 201}, 200),
        ("session.update", {"session_id": SOME_ID, "title": "t" * 201}, 200),
        ("session.list", {"query": "q" * 201}, 200),
        ("session.search", {"query": "q" * 201}, 200),
        ("turn.start", {"session_id": SOME_ID, "text": "𝄞" * 11}, 10),
        ("markdown.render", {"texts": ["12345", "678901"]}, 10),
        ("memory.add", {"text": "t" * 501}, 500),
        ("turn.resume", {"session_id": SOME_ID, "decisions": [{**DECISION, "note": "n" * 2001}]}, 2000),
        ("memory.update", {"memory_id": SOME_ID, "text": "t" * 501}, 500),
    ):
        refusal = await client.refusal(method, **params)
        assert (method, refusal.code, refusal.data) == (method, -32002, {"limit": limit})
    assert (await client.refusal("turn.start", session_id=SOME_ID, text="𝄞" * 10)).code == -32001
    assert (await client.refusal("turn.start", session_id="x", text="t" * 11)).code == -32602
    assert (await client.refusal("turn.start", session_id=SOME_ID, text="t" * 11, x=1)).code == -32602


@pytest.mark.parametrize("megabytes", [1, 10])
async def test_a_huge_text_is_too_large(connect: Connect, owner: AbstractUser, megabytes: int) -> None:
    client = await connect(owner)
    refusal = await client.refusal("turn.start", session_id=SOME_ID, text="x" * megabytes * 2**20)
    assert (refusal.code, refusal.data) == (-32002, {"limit": 200_000})
    await assert_alive(client)


@pytest.mark.both_databases
async def test_odd_but_legal_text_is_kept_as_it_is(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for title in ("שלום \u202eabc", "a\u200bb", "\U0001f469\u200d\U0001f680", "' OR 1=1 --", "<b>%s{}</b>"):
        assert (await client.call("session.create", title=title))["session"]["title"] == title
