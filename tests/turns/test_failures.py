"""A provider that fails: the user's message stays, what was said is kept, the error is clear, the next turn works."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from sessions_app.llm import step
from sessions_app.turn_store import ending
from sessions_app.turns import memory, run
from tests.clock import Clock
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewHost, NewSession
from tests.turns.host import Host, said, stands_at, stored_turn, types

pytestmark = pytest.mark.one_database

HTTP = [Answer(status=status) for status in (400, 401, 404, 429, 500, 503)]
BROKEN = [Answer(["One ", "two"], cut=1), Answer(["One ", "two"], error=1)]
BEFORE = [Answer(["One"], cut=0), Answer(["One"], error=0)]


async def the_next_turn_works(host: Host, chat: Any, provider: Provider, texts: list[str]) -> None:
    """And the provider is sent all that was said."""
    provider.script(Answer(["fine"]))
    after = await host.turn(chat, "again")
    assert (after.status, after.guard_transcript) == ("complete", "kept")
    assert [message["content"] for message in provider.requests[-1].json["messages"][1:]] == [*texts, "again"]


async def test_before_the_first_word(host: Host, session: NewSession, provider: Provider) -> None:
    for answer in [*HTTP, *BEFORE]:
        provider.script(answer)
        chat = await session()
        asked = await host.ask(chat)
        event = (await host.listener.end_of(asked.run_id))["event"]
        assert (event["type"], event["code"]) == ("RUN_ERROR", "provider"), answer
        assert types(host.listener.run(asked.run_id)) == ["RUN_STARTED", "RUN_ERROR"], answer
        assert await said(chat) == [("user", "hello", "complete")], answer
        turn = await stored_turn(asked.run_id)
        assert (turn.status, turn.error_code, turn.error_text) == ("failed", "provider", event["message"]), answer
        assert "The script says so" not in event["message"], answer
        await the_next_turn_works(host, chat, provider, ["hello"])


async def test_in_mid_answer(host: Host, session: NewSession, provider: Provider) -> None:
    for answer in BROKEN:
        provider.script(answer)
        chat = await session()
        asked = await host.ask(chat)
        assert (await host.listener.end_of(asked.run_id))["event"]["code"] == "provider", answer
        assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One ", "failed")], answer
        assert types(host.listener.run(asked.run_id))[-2:] == ["TEXT_MESSAGE_END", "RUN_ERROR"], answer
        await the_next_turn_works(host, chat, provider, ["hello", "One "])


@pytest.mark.parametrize("model_string", [RESPONSES, ANTHROPIC])
@pytest.mark.thorough
async def test_in_mid_answer_over_the_other_wires(
    host: Host, session: NewSession, provider: Provider, settings: Any, model_string: str
) -> None:
    settings.HERMES_MODEL = model_string
    provider.script(Answer(["One ", "two"], cut=1))
    chat = await session()
    asked = await host.ask(chat)
    assert (await host.listener.end_of(asked.run_id))["event"]["code"] == "provider"
    assert (await said(chat))[1] == ("assistant", "One ", "failed")
    assert (await host.turn(chat)).status == "complete"


@pytest.mark.parametrize(("index", "kept"), [(0, []), (1, [("assistant", "One ", "failed")])])
async def test_silence_beyond_the_time_out(
    new_host: NewHost,
    session: NewSession,
    provider: Provider,
    clock: Clock,
    index: int,
    kept: list[tuple[str, str, str]],
) -> None:
    host = await new_host(silence=60)
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={index: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    if index:
        await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    await clock.until(lambda: "RUN_ERROR" in types(host.listener.run(asked.run_id)), 60)
    event = (await host.listener.end_of(asked.run_id))["event"]
    assert (event["type"], event["code"]) == ("RUN_ERROR", "timeout")
    assert await said(chat) == [("user", "hello", "complete"), *kept]
    assert (await stored_turn(asked.run_id)).error_code == "timeout"


async def test_a_request_is_tried_again_before_the_first_word(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    host = await new_host(retries=2)
    now = {"retry-after": "0"}
    provider.script(Answer(status=429, headers=now), Answer(status=503, headers=now), Answer(["third time"]))
    chat = await session()
    turn = await host.turn(chat)
    assert (turn.status, len(provider.requests)) == ("complete", 3)
    assert len(set(provider.bodies)) == 1
    assert types(host.listener.run(turn.run_id))[0] == "RUN_STARTED"
    assert (await said(chat))[1:] == [("assistant", "third time", "complete")]


async def test_no_more_often_than_allowed(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "FIRST_RETRY_SECONDS", 0.001)
    host = await new_host(retries=2)
    provider.script(*[Answer(cut=0) for _ in range(3)])
    turn = await host.turn(await session())
    assert (turn.status, len(provider.requests)) == ("failed", 3)


async def test_never_after_the_first_word(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    host = await new_host(retries=2)
    provider.script(Answer(["One ", "two"], cut=1))
    turn = await host.turn(await session())
    assert (turn.status, len(provider.requests)) == ("failed", 1)


async def test_a_failure_after_a_tool_keeps_the_tools_step(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(calls=[Call("calculator", '{"expression": "6 * 7"}')]), Answer(status=500))
    chat = await session()
    asked = await host.ask(chat)
    assert (await host.listener.end_of(asked.run_id))["event"]["code"] == "provider"
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant", "tool"]
    provider.script(Answer(["fine"]))
    assert (await host.turn(chat)).guard_transcript == "kept"
    roles = [message["role"] for message in provider.requests[-1].json["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "user"]


async def test_a_model_that_cannot_be_asked_says_what_to_set(
    host: Host, session: NewSession, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    settings.HERMES_MODEL = ANTHROPIC
    chat = await session()
    asked = await host.ask(chat)
    event = (await host.listener.end_of(asked.run_id))["event"]
    assert "ANTHROPIC_API_KEY is not set" in event["message"]
    settings.HERMES_MODEL = CHAT
    after = await host.turn(chat)
    assert (after.status, after.guard_reason) == ("complete", "another model or prefix")


async def test_a_fault_of_our_own_ends_the_turn_without_internals(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(memory.TurnMemory, "obtain", fail)
    chat = await session()
    asked = await host.ask(chat)
    event = (await host.listener.end_of(asked.run_id))["event"]
    assert (event["code"], "secret" in event["message"]) == ("internal", False)
    assert (await stored_turn(asked.run_id)).status == "failed"


async def test_a_database_that_is_away_for_a_moment_loses_no_answer(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, failures = ending.end, iter([OperationalError("gone"), OperationalError("still gone")])

    def away(*args: Any, **kwargs: Any) -> Any:
        if error := next(failures, None):
            raise error
        return end(*args, **kwargs)

    monkeypatch.setattr(run, "end", away)
    monkeypatch.setattr(run, "_RETRY_FIRST", 0.001)
    chat = await session()
    turn = await host.turn(chat)
    assert turn.status == "complete"
    assert (await said(chat))[1][2] == "complete"
    assert (await host.turn(chat)).guard_transcript == "kept"


async def test_a_step_that_cannot_be_stored_fails_the_turn_and_memory_stays_with_the_database(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(run, "store_step", away)
    provider.script(Answer(["Let me see. "], calls=[Call("calculator", '{"expression": "1+1"}')]))
    chat = await session()
    asked = await host.ask(chat)
    assert (await host.listener.end_of(asked.run_id))["event"]["code"] == "internal"
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "Let me see. ", "failed")]
    assert (await stored_turn(asked.run_id)).status == "failed"
