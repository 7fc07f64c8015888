"""Owner, administrator and outsider at every method: someone else's row looks exactly like none."""

from __future__ import annotations

from collections.abc import Set
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import AbstractUser

from sessions_app.api.methods import METHODS
from tests.api.client import Client
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


async def assert_hidden(stranger: Client, session_id: str, message_id: str, but: Set[str] = frozenset()) -> None:
    """Hold that every method answers for a session, and for a message, as it does for one that is not there."""
    before = await everything()
    for naming, name, hidden_id in (
        (NAMING, "session_id", session_id),
        (NAMING_A_MESSAGE, "message_id", message_id),
    ):
        for method in naming.keys() - but:
            more = naming[method]
            hidden = await stranger.refusal(method, **{name: hidden_id}, **more)
            missing = await stranger.refusal(method, **{name: str(uuid4())}, **more)
            assert hidden.code == -32001, method
            assert hidden.frame_without_id == missing.frame_without_id, method
            assert await everything() == before, method


async def test_what_is_anothers_is_answered_with_the_bytes_of_what_is_missing(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, administrator: AbstractUser
) -> None:
    mine = (await (await connect(owner)).call("session.create"))["session"]["id"]
    [message] = await say(mine, "private words")
    for stranger in (outsider, administrator):
        await assert_hidden(await connect(stranger), mine, message)


async def test_the_owner_is_let_in(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    # There is nothing to decide on: tests/api/test_approvals.py has that.
    for method in NAMING.keys() - {"turn.resume"}:
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
    assert refusal.frame_without_id == unknown.frame_without_id
    await client.run_ends_anywhere(mine, started["run_id"])
