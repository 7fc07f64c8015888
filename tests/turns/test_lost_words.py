"""A transaction is committed and nobody hears of it: the process finds out what it has done."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from django.db import OperationalError, connections

from sessions_app.turn_store import asking
from sessions_app.turns import run
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, said, stands_at, stored_turn

pytestmark = pytest.mark.usefixtures("hurried")


def lose_the_word_of(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Make the next commit of what `module` calls `name` look as if the connection had broken.

    Returns what it had done, once it is committed.
    """
    lost: list[Any] = []
    function = getattr(module, name)

    def do_and_lose(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(module, name, function)
        result = function(*args, **kwargs)
        connection = connections["default"]  # of this thread
        commit = connection.commit

        def commit_and_lose() -> None:
            monkeypatch.setattr(connection, "commit", commit)
            commit()
            lost.append(result)
            raise OperationalError("the connection was lost")

        monkeypatch.setattr(connection, "commit", commit_and_lose)
        return result

    monkeypatch.setattr(module, name, do_and_lose)
    return lost


async def test_an_end_that_was_stored_is_told_as_it_was(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.script(Answer(["One ", "two"]))
    chat = await session()
    lost = lose_the_word_of(run, "end", monkeypatch)
    asked = await host.ask(chat)
    assert (await host.listener.end_of(asked.run_id))["event"]["type"] == "RUN_FINISHED"
    assert len(lost) == 1
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One two", "complete")]


@pytest.mark.one_database
async def test_what_was_begun_with_that_end_is_run(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}), Answer(["two"]))
    chat = await session()
    await host.ask(chat)
    await stands_at(gate)
    waiting = await host.ask(chat, "waits")
    lose_the_word_of(run, "end", monkeypatch)
    gate.open()
    assert (await host.listener.end_of(waiting.run_id))["event"]["type"] == "RUN_FINISHED"
    assert [text for _, text, _ in await said(chat)] == ["hello", "One", "waits", "two"]
    assert guard_of(await stored_turn(waiting.run_id))[1] == "read"


async def test_a_text_that_was_stored_is_answered_though_the_caller_was_told_of_an_error(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.script(Answer(["One"]))
    chat = await session()
    await host.open(chat)
    lost = lose_the_word_of(asking, "ask", monkeypatch)
    with pytest.raises(OperationalError):
        await host.ask(chat)
    [asked] = lost
    assert (await host.listener.end_of(asked.run_id))["event"]["type"] == "RUN_FINISHED"
    again = await host.ask(chat, message_id=asked.message.id)
    assert (again.run_id, again.repeated) == (asked.run_id, True)
    assert len(provider.requests) == 1


@pytest.mark.one_database
async def test_another_process_leaves_such_a_turn_to_its_owner(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other = await new_host(), await new_host()
    provider.script(Answer(["One"]))
    chat = await session()
    await owner.open(chat)
    lost = lose_the_word_of(asking, "ask", monkeypatch)
    with pytest.raises(OperationalError):
        await owner.ask(chat)
    for _ in range(3):
        await other.runner.supervisor.look()
    assert other.runner.runs == []
    assert (await owner.listener.end_of(lost[0].run_id))["event"]["type"] == "RUN_FINISHED"
