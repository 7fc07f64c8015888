"""Holes of the seed's system where something is lost: the stamp, the session, the agent, the turn."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from agentcache import Missing, judge
from sessions_app import database
from sessions_app.conversations import access
from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, Turn
from sessions_app.turn_store import beginning
from sessions_app.turns import memory
from tests.guard import writes
from tests.guard.oracle import stored
from tests.guard.test_holes import elsewhere, sent
from tests.guard.writes import Write
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, idle, stands_at, stored_turn
from tests.turns.test_recovery import lease_ends

KEPT = ("reused", "kept", "same stamp")
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


@pytest.mark.parametrize("where", ["stamp", "transcript"])
async def test_what_cannot_be_read_fails_clearly_and_nothing_is_answered_from_memory(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    chat = await session()
    await host.turn(chat, "one")
    await elsewhere(chat, writes.say)
    requests = len(provider.requests)

    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        if where == "stamp":
            patch.setattr(access, "chat_session", away)
            with pytest.raises(OperationalError):
                await host.ask(chat, "two")
        else:
            patch.setattr(memory, "load", away)
            asked = await host.ask(chat, "two")
            event = (await host.listener.end_of(asked.run_id))["event"]
            assert (event["type"], event["code"]) == ("RUN_ERROR", "internal")
            assert "away" not in event["message"]
    assert len(provider.requests) == requests
    assert (await host.turn(chat, "three")).guard_transcript == "read"
    assert provider.bodies[-1] != b""
    texts = [text for _, text in sent(provider)]
    assert texts[-1] == "three"
    assert ("two" in texts) == (where == "transcript")


def test_a_stamp_that_cannot_be_read_and_a_session_that_is_gone_are_verdicts_of_their_own() -> None:
    for missing, reason in ((Missing.UNREADABLE, "stamp cannot be read"), (Missing.GONE, "session is gone")):
        verdict = judge(None, "a", missing)
        assert (verdict.stale, verdict.trusted, verdict.answerable, verdict.reason) == (True, False, False, reason)


@pytest.mark.parametrize("write", [None, writes.say])
async def test_a_session_that_is_gone_is_never_answered_from_memory(
    host: Host, session: NewSession, provider: Provider, write: Write | None
) -> None:
    chat = await session()
    await host.turn(chat)
    if write:
        await elsewhere(chat, write)
    await database.write(lambda: ChatSession.objects.get(pk=chat).delete())
    with pytest.raises(NotFound):
        await host.ask(chat)
    assert len(provider.requests) == 1


@pytest.mark.both_databases
async def test_a_session_that_goes_while_its_transcript_is_read(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    load = beginning.load

    def too_late(session_id: UUID) -> Any:
        return load(uuid4())

    monkeypatch.setattr(memory, "load", too_late)
    asked = await host.ask(chat)
    await lease_ends(host, asked.run_id)
    event = await host.listener.end_of(asked.run_id)
    assert (event["event"]["code"], event["seq"]) == ("interrupted", None)
    assert provider.requests == []


async def test_an_agent_in_a_turn_is_not_evicted(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.turns.pool.MAX_IDLE_SECONDS", 0.0)
    monkeypatch.setattr("sessions_app.turns.pool.MAX_BYTES", 1)
    host = await new_host()
    chat = await session()
    gates = [Gate(), Gate()]
    provider.script(Answer(calls=[CALCULATE], gates={0: gates[0]}), Answer(["42"], gates={0: gates[1]}))
    asked = await host.ask(chat)
    for gate in gates:
        await stands_at(gate)
        await host.runner.pool.sweep()
        assert (host.runner.pool.statistics().entries, host.runner.pool.statistics().transcripts) == (1, 1)
        gate.open()
    await host.listener.end_of(asked.run_id)
    await idle(host)
    await host.runner.pool.sweep()
    figures = host.runner.pool.statistics()
    assert (figures.entries, figures.bytes, figures.expired, figures.closing) == (0, 0, 1, 0)


@pytest.mark.both_databases
async def test_a_turn_that_lost_its_claim_changes_no_row(host: Host, session: NewSession, provider: Provider) -> None:
    """As after SIGSTOP: the process wakes up and goes on, and another has its turn."""
    chat = await session()
    await host.turn(chat)
    await host.runner.supervisor.stop()
    gate = Gate()
    provider.script(Answer(["too late"], gates={0: gate}))
    asked = await host.ask(chat)
    await stands_at(gate)
    before = await database.read(stored, chat)

    def take() -> None:
        Turn.objects.filter(run_id=asked.run_id).update(claim=uuid4(), process="another")

    await database.write(take)
    [run] = host.runner.runs
    gate.open()
    await run.ended.wait()
    after = await database.read(stored, chat)
    assert (after.stamp, len(after.messages)) == (before.stamp, len(before.messages))
    assert (await stored_turn(asked.run_id)).status == "running"
