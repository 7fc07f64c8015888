"""Prompts that are kept warm over short pauses: within the day's amount, and only while nothing goes on there."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.conversations import spending
from sessions_app.llm import step
from sessions_app.llm.cache_clock.choice import Choice
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.live_model import LiveModel
from sessions_app.models import AgentProfile, Message, RefreshSpending, Turn, TurnKind
from sessions_app.turns import pool
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.providers.tokens import prompt_of
from tests.turns.clocks import MINUTE, Clocks
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, idle, stands_at, within, worked

pytestmark = pytest.mark.one_database

# More tokens than may be missing without a cause.
LONG = "as long as it takes " * 60
DUE = 285.0
BUDGET = Decimal(1)


@pytest.fixture
def clocks(provider: Provider, monkeypatch: pytest.MonkeyPatch, settings: Any, model: str) -> Clocks:
    """Clocks in hand, and a model whose price is known."""
    settings.HERMES_MODEL = "anthropic:claude-haiku-4-5"
    monkeypatch.setattr(LiveModel, "base_url", "https://api.anthropic.com")
    return Clocks(provider, monkeypatch)


@pytest.fixture
async def host(new_host: NewHost, clocks: Clocks) -> Host:
    """A process whose operator allows an amount a day. It refreshes when it is told to."""
    host = await new_host(warm_budget=BUDGET)
    await host.runner.supervisor.stop()
    return host


async def refreshed(host: Host) -> None:
    """Have a process refresh what is due, and return when that has ended."""
    assert host.runner.refresher is not None
    await host.runner.refresher.refresh_due()
    while work := host.runner.refresher.work:
        await within(asyncio.wait(work))


async def ended_turn(host: Host, chat: UUID, text: str = LONG) -> Turn:
    turn = await host.turn(chat, text)
    await worked(host)
    return turn


async def refreshes() -> list[Turn]:
    return await database.read(lambda: list(Turn.objects.filter(kind=TurnKind.REFRESH)))


async def spent() -> int:
    """Billionths of a dollar that count against today's amount."""
    return sum(await database.read(lambda: list(RefreshSpending.objects.values_list("nanodollars", flat=True))))


@pytest.mark.parametrize(("budget", "miss", "requests"), [(BUDGET, "", 3), (Decimal(0), "expired", 2)])
async def test_a_turn_after_seven_minutes_reads_from_the_cache(
    new_host: NewHost,
    session: NewSession,
    provider: Provider,
    clocks: Clocks,
    budget: Decimal,
    miss: str,
    requests: int,
) -> None:
    host, chat = await new_host(warm_budget=budget), await session()
    first = await ended_turn(host, chat)
    assert first.retention == 300
    clocks.wait(DUE)
    if budget:
        await refreshed(host)
    clocks.wait(7 * MINUTE - DUE)
    second = await host.turn(chat, "go on")
    assert (second.miss, len(provider.counts)) == (miss, requests)
    assert (provider.counts[-1].cached >= first.input_tokens - 2) == bool(budget)


async def test_the_prompt_of_a_refresh_is_the_last_request_to_the_byte(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "choose_retention", lambda *_: Choice(Retention.SHORT, "always"))
    chat = await session()
    provider.script(Answer(["first"]), Answer(calls=[Call("calculator", '{"expression": "6 * 7"}')]), Answer(["42"]))
    for text in (LONG, "and then?"):
        await ended_turn(host, chat, text)
    clocks.wait(DUE)
    await refreshed(host)
    last, refresh = (json.loads(body) for body in provider.bodies[-2:])
    assert refresh.pop("max_tokens") == 1 < last.pop("max_tokens")
    assert (refresh, prompt_of(refresh)) == (last, prompt_of(last))
    assert provider.counts[-1].cached == provider.counts[-1].prompt
    assert provider.counts[-1].written == 0


async def test_a_refresh_stands_in_the_ledger_under_its_own_name(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    chat = await session()
    turn = await ended_turn(host, chat)
    clocks.wait(DUE)
    await refreshed(host)
    [refresh] = await refreshes()
    assert refresh.cost is not None
    assert turn.cost is not None
    assert (refresh.status, refresh.miss, refresh.cached_tokens) == ("complete", "", turn.input_tokens)
    assert await spent() == int(refresh.cost.scaleb(9))
    totals = await database.read(spending.totals, chat)
    assert totals.turns == 1
    assert totals.cost == pytest.approx(float(refresh.cost + turn.cost))
    assert host.listener.facts().count("turn.ended") == 1


async def test_a_pause_is_counted_from_what_was_said(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    chat = await session()
    await ended_turn(host, chat)
    for _ in range(2):
        clocks.wait(DUE)
        await refreshed(host)
    await ended_turn(host, chat)
    assert len(await refreshes()) == 2
    run = await database.read(lambda: Turn.objects.select_related("chat_session").latest("pk").chat_session)
    # Of 9.5 minutes: one between five and ten.
    assert json.loads(run.last_request)["pauses"][5] == 1.0


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
async def test_all_processes_together_stay_within_the_amount(
    new_host: NewHost, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    measured = await ended_turn(await new_host(), await session())
    most = (measured.input_tokens + measured.output_tokens) * Decimal("0.000002")
    hosts = [await new_host(warm_budget=most * Decimal("1.5")) for _ in range(2)]
    for host in hosts:
        await host.runner.supervisor.stop()
        await ended_turn(host, await session())
    clocks.wait(DUE)
    gate = Gate()
    provider.script(Answer(words=["a"], gates={0: gate}))
    first = asyncio.create_task(refreshed(hosts[0]))
    await stands_at(gate)
    await refreshed(hosts[1])
    assert (await refreshes(), len(provider.requests)) == ([], 4)
    gate.open()
    await within(first)
    [refresh] = await refreshes()
    assert refresh.cost is not None
    assert await spent() == int(refresh.cost.scaleb(9))


@pytest.mark.both_databases
async def test_nothing_is_sent_where_another_program_has_written(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    chat = await session()
    await ended_turn(host, chat)
    await database.write(lambda: Message.objects.filter(chat_session=chat).update(text="another"))
    clocks.wait(DUE)
    await refreshed(host)
    assert (len(provider.requests), await spent()) == (1, 0)


async def test_nothing_is_sent_to_a_model_that_the_session_has_left(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    await ended_turn(host, await session())
    await database.write(lambda: AgentProfile.objects.update(model="anthropic:claude-sonnet-4-6"))
    clocks.wait(DUE)
    await refreshed(host)
    assert (len(provider.requests), await spent()) == (1, 0)


async def test_nothing_is_sent_while_a_turn_runs_in_another_process(
    host: Host, new_host: NewHost, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    chat, other, gate = await session(), await new_host(), Gate()
    await ended_turn(host, chat)
    provider.script(Answer(words=["a"], gates={0: gate}))
    asked = await other.ask(chat)
    await stands_at(gate)
    clocks.wait(DUE)
    await refreshed(host)
    assert (len(provider.requests), await spent()) == (2, 0)
    gate.open()
    await other.listener.end_of(asked.run_id)


async def test_nothing_is_sent_for_an_agent_that_left_the_cache(
    new_host: NewHost, session: NewSession, provider: Provider, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_IDLE_SECONDS", 0.0)
    host, chat = await new_host(warm_budget=BUDGET), await session()
    await ended_turn(host, chat)
    await host.runner.pool.sweep()
    clocks.wait(DUE)
    await refreshed(host)
    assert len(provider.requests) == 1


async def test_a_turn_that_begins_ends_the_wait(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    chat, gate = await session(), Gate()
    await ended_turn(host, chat)
    clocks.wait(DUE)
    provider.script(Answer(words=["a"], gates={0: gate}))
    assert host.runner.refresher is not None
    await host.runner.refresher.refresh_due()
    await stands_at(gate)
    work = host.runner.refresher.work
    turn = await ended_turn(host, chat, "sooner than thought")
    await within(asyncio.wait(work))
    gate.open()
    assert (turn.status, turn.miss, [task.cancelled() for task in work]) == ("complete", "", [True])


async def test_a_process_that_drains_refreshes_nothing_more(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    chat = await session()
    await ended_turn(host, chat)
    await host.runner.drain(0)
    clocks.wait(DUE)
    await refreshed(host)
    assert len(provider.requests) == 1


async def test_a_refresh_that_is_refused_costs_nothing(
    host: Host, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    chat = await session()
    await ended_turn(host, chat)
    clocks.wait(DUE)
    provider.script(Answer(status=500))
    await refreshed(host)
    assert (await refreshes(), await spent(), len(provider.requests)) == ([], 0, 2)
    assert (await host.turn(chat)).status == "complete"
    await idle(host)


async def test_no_prompt_is_kept_warm_unless_an_amount_is_set(new_host: NewHost) -> None:
    assert (await new_host()).runner.refresher is None
