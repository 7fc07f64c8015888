"""A turn from its request to its end: what is stored, when, and what is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import F

from sessions_app import database
from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, Message, MessageClaim, Turn
from sessions_app.session_store import chats
from sessions_app.turn_store import asking, ending
from sessions_app.turns import run
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, Listener, said, stands_at, stored_turn, types

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


async def test_a_text_is_acknowledged_when_it_is_durable_and_before_the_answer(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["Hi."], gates={0: gate}))
    chat = await session()
    asked = await host.ask(chat, "hello")
    assert not asked.queued
    assert asked.message.position == 0
    assert await said(chat) == [("user", "hello", "complete")]
    assert (await stored_turn(asked.run_id)).status == "running"
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "Hi.", "complete")]


@pytest.mark.both_databases
async def test_a_text_that_cannot_be_stored_is_not_acknowledged(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    ask = asking.ask

    def ask_and_fail(*args: Any, **kwargs: Any) -> None:
        ask(*args, **kwargs)
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(asking, "ask", ask_and_fail)
    with pytest.raises(DatabaseError):
        await host.ask(chat)
    assert await said(chat) == []
    assert not await database.read(lambda: Turn.objects.exists() or MessageClaim.objects.exists())
    assert host.runner.runs == []
    assert provider.requests == []


async def test_the_events_of_a_run(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(["One ", "two ", "three."]))
    chat = await session()
    asked = await host.ask(chat)
    await host.listener.end_of(asked.run_id)
    events = host.listener.run(asked.run_id)
    assert types(events) == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["session_id"] for event in events} == {str(chat)}
    started, finished = events[0]["event"], events[-1]["event"]
    assert (started["threadId"], started["runId"]) == (str(chat), str(asked.run_id))
    assert started["metadata"] == {"guard": {"agent": "built", "transcript": "read", "reason": "first turn here"}}
    assert finished["outcome"] == {"type": "success"}
    assert host.listener.text(asked.run_id) == "One two three."


async def test_each_delta_carries_its_place_in_the_text(host: Host, session: NewSession, provider: Provider) -> None:
    gates = {index: Gate() for index in range(1, 4)}
    provider.script(Answer(["Ä", "🎈b", "c", "d"], gates=gates))
    chat = await session()
    asked = await host.ask(chat)
    for gate in gates.values():
        await stands_at(gate)
        gate.open()
    await host.listener.end_of(asked.run_id)
    place = 0
    for event in host.listener.run(asked.run_id):
        if event["event"]["type"] == "TEXT_MESSAGE_CONTENT":
            assert event["event"]["metadata"] == {"offset": place}
            place += len(event["event"]["delta"])
    assert place == len("Ä🎈bcd")


async def test_the_first_word_does_not_wait_for_the_second(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    asked = await host.ask(await session())
    event = await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    assert event["event"]["delta"] == "One "
    gate.open()
    await host.listener.end_of(asked.run_id)


@pytest.mark.both_databases
async def test_the_end_is_told_only_after_the_commit(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_before_commit: list[str] = []
    end = ending.end

    def watched(*args: Any, **kwargs: Any) -> Any:
        ended = end(*args, **kwargs)
        told_before_commit.extend(types(host.listener.events))
        return ended

    monkeypatch.setattr(run, "end", watched)
    turn = await host.turn(await session())
    assert turn.status == "complete"
    assert "TEXT_MESSAGE_CONTENT" in told_before_commit
    assert "RUN_FINISHED" not in told_before_commit


async def test_the_projects_own_facts(host: Host, session: NewSession) -> None:
    chat = await session()
    turn = await host.turn(chat, "A question\nof two lines, and rather many words that make no good title for a list")
    await host.listener.until(lambda event: host.listener.facts()[-1] == "session.updated")
    assert host.listener.facts()[1:] == [
        *("message.created", "turn.began", "session.updated"),
        *("message.created", "turn.ended", "session.updated"),
    ]
    created = await host.listener.fact("message.created")
    assert (created["id"], created["role"], created["position"]) == (str(turn.message_id), "user", 0)
    facts = [event["event"]["value"] for event in host.listener.events if event["event"].get("name")][1:]
    assert facts[-1]["title"] == "A question of two lines, and rather many words that make no…"
    assert [fact["message_count"] for fact in facts if "message_count" in fact] == [1, 2]
    stored = await database.read(lambda: ChatSession.objects.select_related("stamp").get(pk=chat))
    assert facts[-1]["revision"] == stored.stamp.revision
    assert all(
        (event["seq"], event["run_id"]) == (None, None) for event in host.listener.events if "name" in event["event"]
    )


@pytest.mark.both_databases
async def test_a_session_was_active_at_the_moment_that_its_last_message_bears(host: Host, session: NewSession) -> None:
    """To the database as well: by that moment it sorts and pages, and SQLite compares moments as text."""
    chat = await session()
    await host.turn(chat)
    last = Message.objects.filter(position=1, created_at=F("chat_session__updated_at"))
    assert await database.read(last.exists)


async def test_a_title_once_given_stays(host: Host, session: NewSession) -> None:
    chat = await session("Mine")
    await host.turn(chat)
    assert (await database.read(lambda: ChatSession.objects.get(pk=chat))).title == "Mine"


async def test_run_events_reach_those_who_have_opened_the_session_and_nobody_else(
    host: Host, session: NewSession
) -> None:
    outsider = await database.write(get_user_model().objects.create_user, "outsider")
    also, not_open, closed, foreign = (
        Listener(host.user_id),
        Listener(host.user_id),
        Listener(host.user_id),
        Listener(outsider.pk),
    )
    for listener in (also, not_open, closed, foreign):
        host.runner.connect(listener.subscription)
    chat, elsewhere = await session(), await session()
    await host.open(chat, also)
    await host.open(elsewhere, not_open)
    await host.open(chat, closed)
    closed.subscription.close(chat)
    with pytest.raises(NotFound):
        await host.open(chat, foreign)
    turn = await host.turn(chat)
    assert types(also.run(turn.run_id)) == types(host.listener.run(turn.run_id))
    for listener in (not_open, closed):
        assert listener.run(turn.run_id) == []
        assert listener.facts() == host.listener.facts()
    assert foreign.events == []


async def test_usage_is_stored_and_told(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(["One ", "two"]), Answer(["three"], reasoning=["hm"]))
    chat = await session()
    first, second = await host.turn(chat), await host.turn(chat)
    assert (first.output_tokens, first.cached_tokens, first.provider, first.model) == (2, 0, "openai", "loopback")
    assert second.reasoning_tokens == 1
    # All but the closing bracket of what was sent before is in the provider's cache.
    assert second.cached_tokens >= first.input_tokens - 1 > 0
    event = await host.listener.end_of(second.run_id)
    [usage] = event["event"]["usage"]
    assert usage == {
        "provider": "openai",
        "model": "loopback",
        "inputTokens": second.input_tokens,
        "cachedInputTokens": second.cached_tokens,
        "cacheWriteInputTokens": 0,
        "outputTokens": second.output_tokens,
        "reasoningTokens": 1,
        "totalTokens": second.input_tokens + second.output_tokens,
    }


async def test_output_tokens_include_reasoning_wherever_they_are_told(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["One ", "two"], reasoning=["hm ", "hm ", "hm"]))
    chat = await session()
    turn = await host.turn(chat)
    assert (turn.output_tokens, turn.reasoning_tokens) == (5, 3)
    event = (await host.listener.end_of(turn.run_id))["event"]
    line, [usage] = event["metadata"]["ledger"], event["usage"]
    assert (line["output_tokens"], line["reasoning_tokens"]) == (5, 3)
    assert (usage["outputTokens"], usage["reasoningTokens"]) == (5, 3)
    totals, _ = await database.read(chats.ledger, host.user_id, chat)
    assert (totals.output_tokens, totals.reasoning_tokens) == (5, 3)


@pytest.mark.both_databases
@pytest.mark.parametrize("answer", [Answer(["fine"]), Answer(status=500)], ids=["answered", "failed"])
async def test_a_model_whose_name_is_very_long_is_stored_by_the_beginning_of_it(
    host: Host, session: NewSession, provider: Provider, settings: Any, answer: Answer
) -> None:
    settings.HERMES_MODEL = "openai-chat:" + "x" * 300
    provider.script(answer)
    turn = await host.turn(await session())
    assert (turn.error_code, len(turn.model)) == ("" if answer.status == 200 else "provider", 200)


@pytest.mark.parametrize("words", [[], [" ", "\n"]])
async def test_an_answer_without_a_word_is_an_error_and_not_stored(
    host: Host, session: NewSession, provider: Provider, words: list[str]
) -> None:
    provider.script(Answer(words))
    chat = await session()
    turn = await host.turn(chat)
    assert (turn.status, turn.error_code, turn.error_text) == ("failed", "empty", "The model gave no answer.")
    assert await said(chat) == [("user", "hello", "complete")]
    assert (await host.turn(chat, "again")).guard_transcript == "kept"


async def test_two_sessions_of_one_user_run_at_once(host: Host, session: NewSession, provider: Provider) -> None:
    gates = [Gate(), Gate()]
    provider.script(*[Answer(["of "], gates={1: gate}) for gate in gates])
    chats = [await session(), await session()]
    asked = [await host.ask(chat, f"to {index}") for index, chat in enumerate(chats)]
    for gate in gates:
        await stands_at(gate)
    assert len(host.runner.runs) == 2
    for gate in gates:
        gate.open()
    await asyncio.gather(*(host.listener.end_of(each.run_id) for each in asked))
    for index, chat in enumerate(chats):
        assert [text for _, text, _ in await said(chat)] == [f"to {index}", "of "]
    assert host.runner.pool.statistics().builds == 1
