"""An end of which the database refuses something, for ever: what it takes is stored, and the session goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, said, stands_at, stored_turn, within
from tests.turns.test_recovery import silence, taken_over

pytestmark = pytest.mark.usefixtures("hurried")

THOUGHTFUL = Answer(["One ", "two"], reasoning=["Hm."])
PARTS = ("INSERT ON sessions_app_message", "NEW.role = 'assistant' AND NEW.parts IS NOT NULL")
ANSWERS = ("INSERT ON sessions_app_message", "NEW.role = 'assistant'")
ENDS = ("UPDATE ON sessions_app_turn", "NEW.status IN ('complete', 'failed')")


@contextmanager
def refusing(event: str, condition: str) -> Iterator[None]:
    """Have the database refuse some rows, as it does what breaks a constraint."""
    if connection.vendor == "sqlite":
        make = [f"CREATE TRIGGER refusing BEFORE {event} WHEN {condition} BEGIN SELECT RAISE(ABORT, 'refused'); END"]
        drop = ["DROP TRIGGER refusing"]
    else:
        body = "BEGIN RAISE EXCEPTION USING ERRCODE = 'check_violation'; END"
        make = [
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $${body}$$",
            f"CREATE TRIGGER refusing BEFORE {event} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse()",
        ]
        drop = [f"DROP TRIGGER refusing ON {event.split()[-1]}", "DROP FUNCTION refuse"]
    with connection.cursor() as cursor:
        for statement in make:
            cursor.execute(statement)
        yield
        for statement in drop:
            cursor.execute(statement)


@pytest.fixture
def refuse(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[None]:
    with refusing(*request.param):
        yield


@pytest.mark.parametrize("refuse", [PARTS], indirect=True)
async def test_an_answer_whose_parts_are_refused_keeps_its_text(
    refuse: None, host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(THOUGHTFUL)
    turn = await host.turn(chat)
    assert (turn.status, turn.input_tokens) == ("complete", 0)
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One two", "complete")]
    provider.script(Answer(["Again."]))
    assert (await host.turn(chat)).status == "complete"


@pytest.mark.parametrize("refuse", [ANSWERS], indirect=True)
async def test_an_answer_that_is_refused_whole_fails_its_turn(
    refuse: None, host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(THOUGHTFUL, THOUGHTFUL)
    for _ in range(2):
        turn = await host.turn(chat)
        assert (turn.status, turn.error_code) == ("failed", "internal")
    ends = [event["event"] for event in host.listener.events if event["event"]["type"] == "RUN_ERROR"]
    assert [end["code"] for end in ends] == ["internal", "internal"]
    assert await said(chat) == [("user", "hello", "complete")] * 2


@pytest.mark.thorough_on_postgresql
@pytest.mark.parametrize("refuse", [ENDS], indirect=True)
async def test_a_turn_whose_every_end_is_refused_is_recovered(
    refuse: None, host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    asked = await host.ask(chat)
    await stands_at(gate)
    run = host.runner.registry.get(chat)
    assert run is not None
    gate.open()
    await within(run.ended.wait())
    assert (await stored_turn(asked.run_id)).status == "running"
    await silence(asked.run_id, 16)
    await within(taken_over(host, run_id=asked.run_id))
    assert (await stored_turn(asked.run_id)).status == "interrupted"
