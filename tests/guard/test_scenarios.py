"""What was reported of systems like the seed's since, each as a test; those that stand elsewhere:

- a slow build of an agent ends after a newer one: tests/agentcache/test_cache.py
- a live process holds a claim whose turn is gone: tests/turns/test_lost_words.py
- a tool server lists its tools in another order, or goes away and comes back: tests/llm/test_tool_sources.py
- a turn without an answer, then an edit or a regeneration: tests/turns/test_branching.py
- programs that open and close the database beside a serving process: tests/test_live.py
- a socket is cut at each point of a turn: tests/turns/test_asking.py, tests/chaos
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model

from sessions_app import database
from sessions_app.journal import foreign
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.models import AgentProfile, Message, Turn
from tests.guard.test_seed import external
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, new_session, said, stands_at, stored_turn, within, worked
from tests.turns.slow import StuckThread
from tests.turns.steps import edited

KEPT = ("reused", "kept", "same stamp")
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


async def test_a_stop_whose_clean_up_fails_leaves_the_session_free(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    provider.script(Answer(["One ", "two"], gates={1: Gate()}), Answer(["Three"]))

    async def fail(session_id: UUID) -> bool:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(foreign, "is_behind", fail)
        asked = await host.ask(chat)
        await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
        assert await host.stop(chat)
        assert (await stored_turn(asked.run_id)).status == "stopped"
        assert (await host.turn(chat, "and now?")).status == "complete"
    assert guard_of(await host.turn(chat)) == KEPT


async def test_a_late_clean_up_of_a_stopped_turn_touches_nothing_of_the_next(
    host: Host, session: NewSession, provider: Provider, stuck_thread: StuckThread
) -> None:
    chat = await session()
    provider.script(Answer(["One ", "two"], gates={1: Gate()}), Answer(["Three"]), Answer(["Four"]))
    await host.ask(chat)
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    assert await host.stop(chat)
    following = await host.ask(chat, "at once")
    await host.listener.end_of(following.run_id)
    claim = (await stored_turn(following.run_id)).claim
    await stuck_thread.go()
    await worked(host)
    assert guard_of(await host.turn(chat, "later")) == KEPT
    assert (await stored_turn(following.run_id)).claim == claim


async def test_a_session_deleted_in_a_tool_loop_makes_no_further_request(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    gate = Gate()
    provider.script(Answer(["See: "], calls=[CALCULATE]), Answer(["42"], calls=[CALCULATE], gates={0: gate}))
    await host.ask(chat)
    await stands_at(gate)
    await within(host.runner.service.delete_session(host.user_id, chat))
    requests = len(provider.requests)
    gate.open()
    assert host.runner.runs == []
    assert len(provider.requests) == requests
    assert await database.read(Message.objects.count) == 0
    assert await database.read(Turn.objects.count) == 0


async def test_a_model_that_is_changed_and_changed_back_misses_twice(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(*[Answer(["Yes."]) for _ in range(3)])
    misses = []
    for model in ("openai-chat:loopback", "openai-chat:other", "openai-chat:loopback"):
        await database.write(AgentProfile.objects.update, model=model)
        provider.evict()
        misses.append((await host.turn(chat)).miss)
    assert misses == [Cause.FIRST, Cause.MODEL, Cause.MODEL]
    first, _, last = [head_of(body) for body in provider.bodies]
    assert first == last


def head_of(body: bytes) -> tuple[Any, Any]:
    """System prompt and tools of a request, as they were sent."""
    request = json.loads(body)
    return request["messages"][0], request["tools"]


async def test_sessions_of_other_users_begin_with_the_same_bytes(host: Host, provider: Provider) -> None:
    provider.script(Answer(["Yes."]), Answer(["Yes."]))
    other = await database.write(get_user_model().objects.create_user, "other")
    for own, name in ((host, "one"), (host.of(other.pk), "two")):
        await own.turn(await new_session(own.user_id), f"I am {name}")
    one, two = provider.bodies
    assert head_of(one) == head_of(two)
    differ = next(place for place, pair in enumerate(zip(one, two, strict=True)) if pair[0] != pair[1])
    assert one[:differ].decode().endswith("I am ")


async def test_a_line_edited_elsewhere_that_grows_to_the_same_count_is_read(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    here, there = await new_host(), await new_host()
    chat = await session()
    for number in range(2):
        provider.script(Answer([f"Answer {number}."]))
        await here.turn(chat, f"abandoned {number}")
    rows = await database.read(lambda: list(Message.objects.filter(chat_session=chat).order_by("position")))
    await there.open(chat)
    await edited(there, rows[0].public_id, "kept")
    for _ in range(2):
        await external(chat)
    assert len(await said(chat)) == len(rows)
    await here.turn(chat, "and then?")
    assert b"kept" in provider.bodies[-1]
    assert b"abandoned" not in provider.bodies[-1]
