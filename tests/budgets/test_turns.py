"""What turns hold and spend of budgets, from their beginning to every end that they can have."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AbstractUser, Group

from sessions_app import database
from sessions_app.budgets import binding
from sessions_app.errors import TooMany
from sessions_app.models import AgentProfile, Budget, BudgetPeriod, Turn, TurnKind
from sessions_app.models.budgets import NANODOLLARS
from tests.budgets.given import TOKENS, USD, budget, counted, counters, held
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate, words
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, stands_at, stored_turn, within, worked
from tests.turns.steps import regenerated
from tests.turns.summaries import compacted

pytestmark = pytest.mark.one_database

AMPLE = 1_000_000
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


def wanted(provider: Provider) -> list[int | None]:
    """How many tokens each request wants at most."""
    bodies = [json.loads(body) for body in provider.bodies]
    return [body.get("max_completion_tokens", body.get("max_tokens")) for body in bodies]


async def titled_turn(host: Host, chat: UUID) -> None:
    """A whole turn, with the title that its session gets, if it gets one."""
    await host.turn(chat)
    await worked(host)
    assert host.runner.titles is not None
    while work := host.runner.titles.work:
        await within(asyncio.wait(work))


async def test_a_turn_reserves_and_settles_what_its_provider_has_counted(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    own, gate = await budget(AMPLE, user=user), Gate()
    provider.script(Answer(words(5), gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    spent, reserved, _ = await counters(own)
    assert (spent, reserved) == (0, await held())
    assert reserved > 1_000
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert await counters(own) == (provider.totals[0], 0, 0)
    assert wanted(provider) == [None]


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
async def test_every_way_to_begin_a_turn_reserves_and_every_end_gives_back(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    own, chat, gate = await budget(AMPLE, user=user), await session(), Gate()
    await host.turn(chat)
    await regenerated(host, chat)
    await compacted(host, chat)
    edited = await database.read(Turn.objects.first)
    assert edited is not None
    await host.runner.service.edit_message(user.pk, edited.message_id, "another", uuid4())
    await worked(host)
    provider.script(Answer([], calls=[CALCULATE]), Answer(["42"]))
    await host.turn(chat, "6 * 7?")
    assert await counters(own) == (sum(provider.totals), 0, 0)
    # One is stopped, one withdrawn, and one is deleted with its session while it waits.
    provider.script(Answer(words(5), gates={2: gate}))
    running, waiting, doomed = await host.ask(chat), await host.ask(chat, "waits"), await host.ask(chat, "is deleted")
    await stands_at(gate)
    before, reserved, _ = await counters(own)
    assert reserved == await held() > 3_000
    assert await host.stop(chat, waiting.run_id)
    assert (await counters(own))[1] == await held(pk__in=[running.turn.pk, doomed.turn.pk])
    deleting = asyncio.create_task(host.runner.service.delete_session(user.pk, chat))
    await host.listener.end_of(running.run_id)
    gate.open()
    await deleting
    spent, reserved, _ = await counters(own)
    assert reserved == 0
    # Its provider had not counted it yet: the prompt and the words so far are estimated.
    assert spent - before > 300


async def test_a_budget_that_is_used_up_refuses_and_says_when_it_resets(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "get_default_timezone", lambda: ZoneInfo("Asia/Tokyo"))
    chat = await session()
    own = await budget(3_000, user=user)
    provider.script(Answer(words(3), counts={"prompt_tokens": 2_000, "completion_tokens": 1_000}))
    await host.turn(chat)
    id_ = uuid4()
    with pytest.raises(TooMany) as refused:
        await host.ask(chat, "more", id_)
    assert refused.value.data["budget"] == "Personal, tokens per day"
    resets = datetime.fromisoformat(refused.value.data["resets_at"])
    assert (resets.hour, resets.utcoffset().total_seconds()) == (0, 9 * 3600)  # type: ignore[union-attr]
    assert 0 < refused.value.data["retry_after"] <= 86_400
    assert "used up" in refused.value.text
    for other in (
        lambda: host.runner.service.regenerate(user.pk, chat, None),
        lambda: host.runner.service.compact(user.pk, chat),
    ):
        with pytest.raises(TooMany):
            await other()
    # Nothing is stored of what was refused, and the same id is free once there is more.
    assert len(await said(chat)) == 2
    await database.write(lambda: Budget.objects.filter(pk=own.pk).update(amount=AMPLE))
    asked = await host.ask(chat, "more", id_)
    assert not asked.repeated
    await host.listener.end_of(asked.run_id)


async def test_what_is_reserved_refuses_others_only_for_a_while(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    await budget(1_800, user=user)
    gate = Gate()
    provider.script(Answer(words(5), gates={1: gate}))
    asked = await host.ask(await session())
    await stands_at(gate)
    with pytest.raises(TooMany) as refused:
        await host.ask(await session())
    assert refused.value.data["retry_after"] <= 10
    gate.open()
    await host.listener.end_of(asked.run_id)
    await host.turn(await session())


async def test_the_last_answer_is_capped_at_what_is_left_by_its_provider(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    chat = await session()
    await host.turn(chat)
    left = 600 + provider.totals[0]
    own = await budget(left + 400, user=user)
    provider.keep_limits()
    provider.script(Answer(["abc "] * 5_000))
    turn = await host.turn(chat, "as much as you can")
    [_, limit] = wanted(provider)
    assert limit is not None
    assert 100 <= limit < 1_000
    assert turn.output_tokens == limit
    spent, reserved, _ = await counters(own)
    assert spent <= own.amount
    assert reserved == 0
    stored = await database.read(lambda: turn.messages.get(role="assistant").finish)
    assert (turn.status, stored) == ("complete", "budget")


async def test_an_answer_that_outgrows_its_allowance_reserves_more_or_ends(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    """By our own count, where the provider keeps to no limit."""
    chat, own = await session(), await budget(AMPLE, user=user)
    # The last stays closed: were the end read in one piece with what is too much, it would bring the provider's count.
    gates = {index: Gate() for index in (20, 21, 40, 150)}
    provider.script(Answer(["x" * 400] * 151, gates=gates))
    asked = await host.ask(chat)
    for index in (20, 21):
        await stands_at(gates[index])
        await host.listener.until(lambda _, n=index: len(host.listener.text(asked.run_id)) == n * 400)  # type: ignore[misc]
        if index == 21:  # what is behind a gate is read once there was enough for what came before it
            assert (await counters(own))[1] > 3_000
        gates[index].open()
    await stands_at(gates[40])
    # Others have taken the rest meanwhile.
    await database.write(lambda: Budget.objects.filter(pk=own.pk).update(amount=9_000))
    gates[40].open()
    await host.listener.end_of(asked.run_id)
    turn = await stored_turn(asked.run_id)
    (_, text, _) = (await said(chat))[1]
    assert len(text) >= 16_000
    assert (turn.status, turn.output_tokens) == ("complete", 0)
    assert await database.read(lambda: turn.messages.get(role="assistant").finish) == "budget"
    # Of an answer that was broken off nobody has counted anything: it is estimated.
    assert await counters(own) == (turn.uncounted_tokens, 0, 0)


async def test_tools_are_called_while_there_is_something_left(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    own = await budget(6_000, user=user)
    chat = await session()
    provider.script(*(Answer(["Again. "], calls=[CALCULATE]) for _ in range(20)))
    turn = await host.turn(chat)
    assert (turn.status, turn.error_code) == ("failed", "budget")
    assert "Personal, tokens per day" in turn.error_text
    spent, reserved, _ = await counters(own)
    assert (spent, reserved) == (sum(provider.totals), 0)
    assert 3_000 < spent <= own.amount
    roles = [role for role, _, _ in await said(chat)]
    assert roles[:3] == ["user", "assistant", "tool"]
    assert roles[-1] == "tool"


@pytest.mark.both_databases
async def test_a_group_shares_one_pot_and_who_joins_mid_turn_settles_where_they_reserved(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    group = await database.write(lambda: Group.objects.create(name="staff"))
    shared, own, gate = await budget(AMPLE, group=group), await budget(AMPLE, user=user), Gate()
    provider.script(Answer(words(5), gates={1: gate}))
    asked = await host.ask(await session())
    await stands_at(gate)
    await database.write(user.groups.add, group)
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert (await counters(shared), await counters(own)) == ((0, 0, 0), (provider.totals[0], 0, 0))
    await host.turn(await session())
    assert await counters(shared) == (provider.totals[1], 0, 0)
    assert await counters(own) == (sum(provider.totals), 0, 0)


async def test_a_period_that_ends_mid_turn_is_where_it_settles(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    """The clock jumps: the row of the period is one of another day by then."""
    own, gate = await budget(AMPLE, user=user), Gate()
    provider.script(Answer(words(5), gates={1: gate}))
    asked = await host.ask(await session())
    await stands_at(gate)
    await database.write(lambda: BudgetPeriod.objects.update(began="2020-02-29"))
    await host.turn(await session())
    gate.open()
    await host.listener.end_of(asked.run_id)
    rows = await database.read(lambda: list(BudgetPeriod.objects.order_by("pk").values_list("spent", "reserved")))
    assert rows == [(provider.totals[0], 0), (provider.totals[1], 0)]
    assert (await counters(own))[0] == await counted()


async def test_a_budget_that_is_lowered_or_lifted_mid_turn(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    lowered, gate, chat = await budget(AMPLE, user=user), Gate(), await session()
    lifted = await budget(AMPLE, user=user, unit=USD)
    provider.script(Answer(words(5), gates={1: gate}))
    asked = await host.ask(chat)
    await stands_at(gate)
    await database.write(lambda: Budget.objects.filter(pk=lowered.pk).update(amount=10))
    await database.write(lambda: Budget.objects.filter(pk=lifted.pk).delete())
    with pytest.raises(TooMany):
        await host.ask(await session())
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert (await stored_turn(asked.run_id)).status == "complete"
    assert await counters(lowered) == (provider.totals[0], 0, 0)


async def test_money_is_reserved_at_the_dearest_and_spent_at_the_price(
    new_host: NewHost, session: NewSession, provider: Provider, user: AbstractUser, monkeypatch: Any, settings: Any
) -> None:
    from sessions_app.llm.cache_ledger import prices
    from sessions_app.llm.live_model import LiveModel

    settings.HERMES_MODEL = "openai-chat:gpt-4o"
    monkeypatch.setattr(prices, "address_of", lambda provider: "")
    monkeypatch.setattr(LiveModel, "base_url", "https://api.openai.com")
    host, own, gate = await new_host(), await budget(NANODOLLARS // 50, USD, user=user), Gate()
    provider.script(Answer(words(5), gates={1: gate}))
    asked = await host.ask(await session())
    await stands_at(gate)
    [held_] = await database.read(lambda: [turn.held for turn in Turn.objects.all()])
    assert held_["prices"] == {"prompt": 2.5e-6, "answer": 1e-5}
    reserved = (await counters(own))[1]
    gate.open()
    await host.listener.end_of(asked.run_id)
    turn = await stored_turn(asked.run_id)
    assert turn.cost is not None
    assert await counters(own) == (int(turn.cost * NANODOLLARS), 0, 0)
    assert reserved >= 1_000 * 10_000 + turn.cost * NANODOLLARS - 50_000
    # What is left buys one answer more, and that is capped.
    await host.turn(await session())
    assert 0 < (wanted(provider)[1] or 0) < 2_000


async def test_tokens_count_where_no_price_is_known_and_money_says_so(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    money, tokens = await budget(1, USD, user=user), await budget(AMPLE, user=user)
    await host.turn(await session())
    assert await counters(money) == (0, 0, 1)
    assert await counters(tokens) == (provider.totals[0], 0, 0)
    await database.write(lambda: Budget.objects.filter(pk=money.pk).update(amount=0))
    with pytest.raises(TooMany):
        await host.ask(await session())


async def test_a_title_counts_and_is_not_asked_for_when_nothing_is_left(
    new_host: NewHost, session: NewSession, provider: Provider, user: AbstractUser, settings: Any
) -> None:
    own = await budget(AMPLE, user=user)
    host = await new_host(title_model="openai-chat:titles")
    await titled_turn(host, await session())
    titled = await database.read(lambda: Turn.objects.get(kind=TurnKind.TITLE))
    assert await counters(own) == (sum(provider.totals), 0, 0)
    assert titled.input_tokens
    provider.script(Answer(words(3), counts={"prompt_tokens": AMPLE, "completion_tokens": 1}))
    await titled_turn(host, await session())
    assert await database.read(lambda: Turn.objects.filter(kind=TurnKind.TITLE).count()) == 1


async def test_a_profile_with_no_budget_asks_the_database_nothing_more(
    host: Host, session: NewSession, user: AbstractUser
) -> None:
    """Of somebody whom no budget binds, nothing is stored."""
    other = await database.write(lambda: Group.objects.create(name="others"))
    await budget(0, TOKENS, group=other)
    turn = await host.turn(await session())
    assert (turn.status, turn.held) == ("complete", None)
    assert not await database.read(BudgetPeriod.objects.exists)
    assert await database.read(AgentProfile.objects.exists)
