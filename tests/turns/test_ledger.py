"""The ledger as it is stored with turns: whichever process sends a request, it knows what the last one had."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now

from sessions_app import database
from sessions_app.llm import step
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.live_model import OPENAI, LiveModel
from sessions_app.llm.usage import Usage
from sessions_app.models import AgentProfile, Message, Turn
from sessions_app.turns import run
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import ANTHROPIC, CHAT, ONE_IN_THE_SUITE, RESPONSES, NewHost, NewSession
from tests.turns.host import Host, said, stands_at, stored_turn

pytestmark = pytest.mark.one_database

# More tokens than may be missing without a cause.
LONG = "as long as it takes " * 60
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


async def edit_first_message() -> None:
    def write() -> None:
        first = Message.objects.order_by("position").first()
        assert first is not None
        Message.objects.filter(pk=first.pk).update(text=f"edited {LONG}")

    await database.write(write)


async def dies(run_id: UUID) -> None:
    """Make the owner of a turn one that was not heard of for an hour."""

    def silence() -> None:
        Turn.objects.filter(run_id=run_id).update(heartbeat_at=Now() - timedelta(hours=1))

    await database.write(silence)


@pytest.mark.parametrize("wire", ONE_IN_THE_SUITE)
async def test_processes_that_take_turns_find_what_the_other_has_sent(
    new_host: NewHost, session: NewSession, settings: Any, wire: str
) -> None:
    settings.HERMES_MODEL = wire
    hosts, chat = [await new_host(), await new_host()], await session()
    turns = [await hosts[number % 2].turn(chat, f"{number} {LONG}") for number in range(5)]
    assert [turn.miss for turn in turns] == [Cause.FIRST, "", "", "", ""]
    assert all(0 < turn.expected_tokens <= turn.cached_tokens + 2 for turn in turns[1:])
    assert len({turn.prefix_digest for turn in turns}) == 1


async def test_sessions_that_begin_alike_have_one_prefix_digest(host: Host, session: NewSession) -> None:
    one, other = await host.turn(await session()), await host.turn(await session())
    assert one.prefix_digest == other.prefix_digest != ""


async def test_an_edit_elsewhere_is_the_cause_once(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat, LONG)
    await host.turn(chat, LONG)
    await edit_first_message()
    edited, after = await host.turn(chat), await host.turn(chat)
    assert (edited.miss, after.miss) == (Cause.EDITED, "")
    assert edited.expected_tokens > edited.cached_tokens + 128


async def test_another_model_of_the_profile_is_the_cause(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat, LONG)
    await database.write(lambda: AgentProfile.objects.update(model="openai-chat:another"))
    assert (await host.turn(chat)).miss == Cause.MODEL


async def test_the_steps_of_a_turn_are_one_line(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    first = await host.turn(chat, LONG)
    provider.script(Answer(calls=[CALCULATE]), Answer(words=["42"]))
    turn = await host.turn(chat)
    assert turn.miss == ""
    assert turn.expected_tokens > 2 * first.input_tokens


async def test_an_answer_that_was_stopped_is_on_the_ledger_where_its_provider_has_counted(
    host: Host, session: NewSession, provider: Provider, settings: Any
) -> None:
    settings.HERMES_MODEL = ANTHROPIC
    chat, gate = await session(), Gate()
    await host.turn(chat, LONG)
    provider.script(Answer(words=["half ", "of it"], gates={1: gate}))
    asked = await host.ask(chat, "again")
    await stands_at(gate)
    assert await host.stop(chat, asked.run_id)
    gate.open()
    stopped = await stored_turn(asked.run_id)
    assert (stopped.status, stopped.miss, stopped.expected_tokens > 0) == ("stopped", "", True)
    assert (await host.turn(chat)).miss == ""


async def test_an_answer_that_nobody_counted_leaves_the_last_request_as_it_was(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat, gate = await session(), Gate()
    await host.turn(chat, LONG)
    provider.script(Answer(words=["half ", "of it"], gates={1: gate}))
    asked = await host.ask(chat, LONG)
    await stands_at(gate)
    assert await host.stop(chat, asked.run_id)
    gate.open()
    assert (await stored_turn(asked.run_id)).prefix_digest == ""
    assert (await host.turn(chat)).miss == ""


async def test_an_answer_without_a_word_is_remembered_too(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await host.turn(chat, "one")
    provider.script(Answer())
    silent = await host.turn(chat, LONG)
    turn = await host.turn(chat, "three")
    assert (turn.miss, turn.expected_tokens) == ("", silent.input_tokens)


async def test_a_price_is_stored_where_one_is_known(
    host: Host, session: NewSession, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HERMES_MODEL = "openai-chat:gpt-5-mini"
    chat = await session()
    unknown = await host.turn(chat, LONG)
    assert (unknown.cost, unknown.saved) == (None, None)
    monkeypatch.setattr(LiveModel, "base_url", f"{OPENAI}/v1/")
    known = await host.turn(chat)
    fresh, cached = known.input_tokens - known.cached_tokens, known.cached_tokens
    million = Decimal(1_000_000)
    assert known.cost == (fresh * Decimal("0.25") + cached * Decimal("0.025") + known.output_tokens * 2) / million
    assert known.saved == cached * Decimal("0.225") / million


HUGE = 10**30
MISCOUNTED: list[dict[str, Any]] = [
    {"prompt_tokens": HUGE, "completion_tokens": HUGE},
    {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": HUGE}},
    {"completion_tokens_details": {"reasoning_tokens": HUGE}},
]


@pytest.mark.both_databases
async def test_no_count_of_a_provider_costs_the_answer(
    host: Host, session: NewSession, provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HERMES_MODEL = "openai-chat:gpt-5-mini"
    monkeypatch.setattr(LiveModel, "base_url", f"{OPENAI}/v1/")
    for counts in MISCOUNTED:
        provider.script(*[Answer(words=["Yes."], counts=counts)] * 2)
        chat = await session()
        for turn in [await host.turn(chat), await host.turn(chat)]:
            assert (turn.status, turn.cost is not None) == ("complete", True), counts
            assert turn.cached_tokens <= turn.input_tokens, counts
            assert turn.reasoning_tokens <= turn.output_tokens, counts


async def test_an_answer_whose_model_has_no_name_is_the_sessions_models(
    host: Host, session: NewSession, provider: Provider, settings: Any
) -> None:
    for wire in (CHAT, RESPONSES, ANTHROPIC):
        settings.HERMES_MODEL = wire
        provider.script(Answer(words=["Yes."], nameless=True))
        turn = await host.turn(await session())
        assert turn.status == "complete"
        assert turn.model
        assert wire.endswith(turn.model)


async def test_the_demo_model_is_on_no_ledger(host: Host, session: NewSession, settings: Any) -> None:
    settings.HERMES_MODEL = "demo"
    turn = await host.turn(await session())
    assert (turn.prefix_digest, turn.miss, turn.cost) == ("", "", None)
    assert await database.read(lambda: Turn.objects.exclude(chat_session__last_request="").count()) == 0


@pytest.mark.both_databases
async def test_what_a_turn_had_cost_is_kept_when_its_owner_dies_in_a_later_step(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    owner, heir = await new_host(), await new_host(lease=1)
    chat, gate = await session(), Gate()
    provider.script(Answer(calls=[CALCULATE]), Answer(words=["never ", "ends"], gates={1: gate}))
    asked = await owner.ask(chat, LONG)
    await stands_at(gate)
    await owner.runner.supervisor.stop()
    await dies(asked.run_id)
    while (turn := await stored_turn(asked.run_id)).status == "running":
        await heir.runner.supervisor.look()
    gate.open()
    assert (turn.status, turn.miss) == ("interrupted", Cause.FIRST)
    assert min(turn.input_tokens, turn.output_tokens, len(turn.prefix_digest)) > 0


@pytest.mark.both_databases
async def test_figures_that_the_database_does_not_take_cost_no_answer(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    monkeypatch.setattr(run, "_RETRY_FIRST", 0)
    monkeypatch.setattr(step, "usage_of", lambda stream: Usage(input_tokens=2**70))
    turn = await host.turn(chat)
    assert (turn.status, turn.input_tokens, turn.prefix_digest) == ("complete", 0, "")
    assert (await said(chat))[-1][0] == "assistant"
