"""A process indexes what was said, in the background, whether somebody searches or not."""

from __future__ import annotations

import asyncio

import pytest

from sessions_app import database
from sessions_app.conversations.search import index
from sessions_app.database import plain
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, within

pytestmark = pytest.mark.usefixtures("hurried")


def indexed() -> list[str]:
    return [text for (text,) in plain.rows("SELECT folded FROM hermes_search_entry ORDER BY message_id", [])]


@pytest.mark.one_database
async def test_a_running_process_indexes_a_turn(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, whole = asyncio.get_running_loop(), asyncio.Event()
    catch_up = index.catch_up

    def catch_up_and_tell() -> bool:
        done = catch_up()
        if indexed() == ["hello", "an answer"]:
            loop.call_soon_threadsafe(whole.set)
        return done

    monkeypatch.setattr(index, "catch_up", catch_up_and_tell)
    provider.script(Answer(["An ", "ANSWER"]))
    await host.listener.end_of((await host.ask(await session())).run_id)
    await within(whole.wait())


async def test_one_round_takes_all_steps(host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "CHANGES_AT_ONCE", 1)
    for _ in range(3):
        await host.listener.end_of((await host.ask(await session())).run_id)
    await host.runner.supervisor.index()
    assert not await database.read(index.waiting)
    assert len(await database.read(indexed)) == 6
