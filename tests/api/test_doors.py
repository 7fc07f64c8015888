"""Owner, administrator and outsider at every method: someone else's row looks exactly like none."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app.api.methods import METHODS
from tests.api.conftest import Connect
from tests.api.rows import everything, say

# The methods that name a session, with what else they need.
NAMING: dict[str, dict[str, Any]] = {
    "session.open": {},
    "session.close": {},
    "session.messages": {"before": 5},
    "session.update": {"title": "taken over"},
    "session.ledger": {},
    "session.apply_profile": {},
    "session.delete": {},
    "session.search": {"query": "private"},
    "turn.start": {"text": "let me in"},
    "turn.stop": {},
    "turn.regenerate": {},
    "turn.resume": {"decisions": [{"approval_id": str(uuid4()), "approve": True}]},
    "session.compact": {},
    "share.create": {},
    "share.list": {},
}
# Those that name a message: one that the user said, and one that was answered.
NAMING_A_MESSAGE: dict[str, dict[str, Any]] = {
    "message.edit": {"text": "other words"},
    "branch.select": {},
    "session.fork": {},
    "message.rate": {"rating": 1},
    "memory.decide": {"save": True},
}


def test_every_method_that_names_a_session_is_tried() -> None:
    assert NAMING.keys() == {name for name, method in METHODS.items() if "session_id" in method.params.model_fields}
    named = {name for name, method in METHODS.items() if "message_id" in method.params.model_fields}
    assert NAMING_A_MESSAGE.keys() == named - NAMING.keys()


@pytest.mark.parametrize("method", NAMING)
@pytest.mark.parametrize("who", ["outsider", "administrator"])
async def test_a_foreign_session_is_answered_with_the_bytes_of_a_missing_one(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, administrator: AbstractUser, method: str, who: str
) -> None:
    mine = (await (await connect(owner)).call("session.create"))["session"]["id"]
    await say(mine, "private words")
    before = await everything()
    stranger = await connect({"outsider": outsider, "administrator": administrator}[who])
    foreign = await stranger.refusal(method, session_id=mine, **NAMING[method])
    missing = await stranger.refusal(method, session_id=str(uuid4()), **NAMING[method])
    assert foreign.code == -32001
    assert foreign.frame.replace('"id":1,', "") == missing.frame.replace('"id":2,', "")
    assert await everything() == before


@pytest.mark.parametrize("method", NAMING_A_MESSAGE)
@pytest.mark.parametrize("who", ["outsider", "administrator"])
async def test_a_foreign_message_is_answered_with_the_bytes_of_a_missing_one(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, administrator: AbstractUser, method: str, who: str
) -> None:
    mine = (await (await connect(owner)).call("session.create"))["session"]["id"]
    [message] = await say(mine, "private words")
    before = await everything()
    stranger = await connect({"outsider": outsider, "administrator": administrator}[who])
    foreign = await stranger.refusal(method, message_id=message, **NAMING_A_MESSAGE[method])
    missing = await stranger.refusal(method, message_id=str(uuid4()), **NAMING_A_MESSAGE[method])
    assert foreign.code == -32001
    assert foreign.frame.replace('"id":1,', "") == missing.frame.replace('"id":2,', "")
    assert await everything() == before


# There is nothing to decide on: tests/api/test_approvals.py has that.
@pytest.mark.parametrize("method", [name for name in NAMING if name != "turn.resume"])
async def test_the_owner_is_let_in(connect: Connect, owner: AbstractUser, method: str) -> None:
    client = await connect(owner)
    mine = (await client.call("session.create"))["session"]["id"]
    if method in ("turn.regenerate", "session.compact", "share.create"):
        await say(mine, "answer this")
    result = await client.call(method, session_id=mine.upper(), **NAMING[method])
    if "run_id" in result:
        await client.run_ends_anywhere(mine, result["run_id"])


async def test_lists_searches_and_events_hold_only_ones_own(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, administrator: AbstractUser
) -> None:
    client, *strangers = [await connect(user) for user in (owner, outsider, administrator)]
    mine = (await client.call("session.create", title="private title"))["session"]["id"]
    await say(mine, "private words")
    await client.call("session.update", session_id=mine, pinned=True)
    for stranger in strangers:
        assert (await stranger.call("session.list"))["sessions"] == []
        assert (await stranger.call("session.list", query="private"))["sessions"] == []
        for query in ("private words", "pr"):
            assert (await stranger.call("session.search", query=query))["hits"] == []
        assert stranger.events == []
    assert len((await client.call("session.search", query="private words"))["hits"]) == 1


async def test_anothers_message_id_is_not_revealed(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser
) -> None:
    client, stranger = await connect(owner), await connect(outsider)
    mine = (await client.call("session.create"))["session"]["id"]
    theirs = (await stranger.call("session.create"))["session"]["id"]
    (taken,) = await say(mine, "hello")
    started = await stranger.call("turn.start", session_id=theirs, text="hi", message_id=taken)
    assert started["message"]["id"] == taken
    await stranger.run_ends_anywhere(theirs, started["run_id"])


async def test_anothers_run_cannot_be_stopped(connect: Connect, owner: AbstractUser, outsider: AbstractUser) -> None:
    client, stranger = await connect(owner), await connect(outsider)
    mine = (await client.call("session.create"))["session"]["id"]
    theirs = (await stranger.call("session.create"))["session"]["id"]
    started = await client.call("turn.start", session_id=mine, text="hello")
    refusal = await stranger.refusal("turn.stop", session_id=theirs, run_id=started["run_id"])
    unknown = await stranger.refusal("turn.stop", session_id=theirs, run_id=str(uuid4()))
    assert refusal.code == -32001
    assert refusal.frame.replace('"id":2,', "") == unknown.frame.replace('"id":3,', "")
    await client.run_ends_anywhere(mine, started["run_id"])
