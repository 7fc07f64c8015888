"""The ledger over the wire: a turn's line, a session's totals, and the profile that a session may follow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import override_settings

from sessions_app import database
from sessions_app.llm.live_model import OPENAI, LiveModel
from sessions_app.models import AgentProfile, ChatSession, Turn
from tests.api.client import Client
from tests.api.conftest import Connect
from tests.api.rows import everything
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

# More tokens than OpenAI caches at least.
LONG = "as long as it takes " * 300
NOTHING: dict[str, Any] = {
    "turns": 0,
    "fresh_tokens": 0,
    "cache_write_tokens": 0,
    "cached_tokens": 0,
    "output_tokens": 0,
    "reasoning_tokens": 0,
    "expected_tokens": 0,
    "cost": None,
    "saved": None,
    "unpriced_turns": 0,
    "misses": [],
    "retentions": [],
}
CURRENT = {"name": "Default", "current": True}


async def opened(client: Client) -> str:
    session_id: str = (await client.call("session.create"))["session"]["id"]
    await client.call("session.open", session_id=session_id)
    return session_id


async def line_of(client: Client, session_id: str, text: str) -> Any:
    """Return a whole turn's line in the ledger, as the event that ended it tells it."""
    run_id = (await client.call("turn.start", session_id=session_id, text=text))["run_id"]
    return (await client.run_ends(run_id))["metadata"]["ledger"]


async def store(session_id: str, **fields: Any) -> None:
    """Store a turn that has ended."""

    def write() -> None:
        chat_session = ChatSession.objects.get(pk=session_id)
        Turn.objects.create(
            owner_id=chat_session.owner_id,
            chat_session=chat_session,
            message_id=UUID(int=0),
            status="complete",
            **{"prefix_digest": "some", **fields},
        )

    await database.write(write)


async def edit_profile() -> None:
    await database.write(AgentProfile.objects.filter(is_default=True).update, system_prompt="Be brief.")


async def test_for_how_long_a_conversation_is_to_be_kept_is_told_with_its_reason(
    connect: Connect, owner: AbstractUser, provider: Provider
) -> None:
    client = await connect(owner)
    with override_settings(HERMES_MODEL="anthropic:claude-loopback"):
        session_id = await opened(client)
        line = await line_of(client, session_id, "one")
    usual = "pauses of 10 seconds to 10 minutes (16% between 5 minutes and 1 hour)"
    assert line["retention"] == {"seconds": 300, "reason": f"{usual}: five minutes' cache is cheaper"}
    [message] = (await client.call("session.messages", session_id=session_id, before=9))["messages"][1:]
    assert message["ledger"] == line
    for seconds in (3600, 3600, 0):
        await store(session_id, retention=seconds)
    totals = await client.call("session.ledger", session_id=session_id)
    chosen = [(3600, 2), (0, 1), (300, 1)]
    assert totals["retentions"] == [{"seconds": seconds, "turns": turns} for seconds, turns in chosen]


async def test_what_the_provider_says_of_a_miss_is_told_with_ours(
    connect: Connect, owner: AbstractUser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveModel, "base_url", f"{OPENAI}/v1/")
    client = await connect(owner)
    with override_settings(HERMES_MODEL="openai:gpt-5.6"):
        session_id = await opened(client)
        first = await line_of(client, session_id, LONG)
    with override_settings(HERMES_MODEL="openai:gpt-6-astra"):
        line = await line_of(client, session_id, "two")
    assert (first["miss"]["cause"], first["told_reason"]) == ("first", None)
    assert (line["miss"]["cause"], line["told_reason"]) == ("model", "model changed")
    message = (await client.call("session.messages", session_id=session_id, before=9))["messages"][-1]
    assert message["ledger"] == line


@override_settings(HERMES_MODEL="openai-chat:loopback")
async def test_a_turns_line_is_told_at_its_end_and_kept_with_its_answer(
    connect: Connect, owner: AbstractUser, provider: Provider
) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    lines = [await line_of(client, session_id, text) for text in ("one", "two")]
    messages = (await client.call("session.messages", session_id=session_id, before=9))["messages"]
    assert [message["ledger"] for message in messages if "ledger" in message] == lines
    assert [message["role"] for message in messages if "ledger" in message] == ["assistant"] * 2


@pytest.mark.both_databases
@override_settings(HERMES_MODEL="openai-chat:loopback")
async def test_a_sessions_totals_are_the_sums_of_its_turns(
    connect: Connect, owner: AbstractUser, provider: Provider
) -> None:
    provider.script(Answer(words=["one"], reasoning=["hm ", "hm "]), Answer(words=["two ", "words"]))
    client = await connect(owner)
    session_id = await opened(client)
    lines = [await line_of(client, session_id, text) for text in ("one", "two")]
    await line_of(client, await opened(client), "in another session")
    totals = await client.call("session.ledger", session_id=session_id)
    tokens = {name: sum(line[name] for line in lines) for name in NOTHING if name.endswith("_tokens")}
    assert tokens["cached_tokens"] > 0
    assert (tokens["output_tokens"], tokens["reasoning_tokens"]) == (5, 2)
    first = {"cause": "first", "reason": "first turn", "turns": 1}
    assert totals == {
        **NOTHING,
        **tokens,
        "turns": 2,
        "unpriced_turns": 2,
        "misses": [first],
        "profile": CURRENT,
    }


async def test_turns_that_nobody_counted_are_in_no_total(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    run_id = (await client.call("turn.start", session_id=session_id, text="to the demo model"))["run_id"]
    assert "metadata" not in await client.run_ends(run_id)
    assert await client.call("session.ledger", session_id=session_id) == {**NOTHING, "profile": CURRENT}


@pytest.mark.both_databases
async def test_money_is_summed_over_the_turns_that_have_a_price_and_the_others_are_counted(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    await store(session_id, cost=Decimal("0.000000001"), saved=Decimal("-0.25"))
    await store(session_id, cost=Decimal("0.5"), saved=Decimal("1"), miss="edited")
    await store(session_id)
    await store(session_id, prefix_digest="", cost=None)
    totals = await client.call("session.ledger", session_id=session_id)
    assert (totals["turns"], totals["unpriced_turns"]) == (3, 1)
    assert (totals["cost"], totals["saved"]) == (pytest.approx(0.500000001, abs=1e-12), pytest.approx(0.75))


@pytest.mark.both_databases
async def test_the_most_frequent_cause_comes_first(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    for miss in ("first", "expired", "edited", "expired", "", ""):
        await store(session_id, miss=miss)
    misses = (await client.call("session.ledger", session_id=session_id))["misses"]
    assert [(miss["cause"], miss["turns"]) for miss in misses] == [("expired", 2), ("edited", 1), ("first", 1)]


async def test_the_ledger_tells_that_the_profile_was_changed_until_it_is_applied(
    connect: Connect, owner: AbstractUser
) -> None:
    client, other = await connect(owner), await connect(owner)
    session_id = await opened(client)
    await edit_profile()
    assert (await client.call("session.ledger", session_id=session_id))["profile"] == {**CURRENT, "current": False}
    applied = (await client.call("session.apply_profile", session_id=session_id))["session"]
    assert await other.fact("session.updated") == applied
    assert (applied["id"], applied["revision"]) == (session_id, 1)
    assert (await client.call("session.ledger", session_id=session_id))["profile"] == CURRENT


async def test_applying_a_profile_that_a_session_follows_already_changes_nothing(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    fresh = await everything()
    assert (await client.call("session.apply_profile", session_id=session_id))["session"]["revision"] == 0
    assert await everything() == fresh
    await edit_profile()
    applied = await client.call("session.apply_profile", session_id=session_id)
    assert await client.call("session.apply_profile", session_id=session_id) == applied


async def test_a_session_that_is_gone_has_no_ledger_and_follows_no_profile(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    await client.call("session.delete", session_id=session_id)
    for method in ("session.ledger", "session.apply_profile"):
        assert (await client.refusal(method, session_id=session_id)).code == -32001
