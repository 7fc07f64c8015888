"""However much one user asks for, another's command waits for one piece of it; what a gone client asked is dropped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.api.methods import transcripts
from sessions_app.database import hops
from sessions_app.models import ChatSession
from sessions_app.scheduling.threads import FairThreads
from sessions_app.web import rendering
from sessions_app.web.rendering import WORKERS
from tests.api.client import Client
from tests.api.conftest import Connect
from tests.processes import PATIENCE

SOCKETS = 40
# The dearest kind that was found, a hundred of them.
LARGE = ("$" + "x^{2}" * 199 + "$\n\n") * 100


class Watch:
    """Stands around threads: ``begun`` has the user of each piece of work that was begun, in order.

    Nothing that is begun goes on before ``released``.
    """

    def __init__(self, threads: FairThreads, monkeypatch: pytest.MonkeyPatch) -> None:
        self.threads = threads
        self._asked: asyncio.Queue[Hashable] = asyncio.Queue()
        self.begun: list[Hashable] = []
        self.released = threading.Event()
        self._submit = threads.submit
        monkeypatch.setattr(threads, "submit", self.submit)

    def submit(self, user: Hashable, work: Callable[[], Any]) -> Future[Any]:
        def watched() -> Any:
            self.begun.append(user)
            assert self.released.wait(PATIENCE)
            return work()

        self._asked.put_nowait(user)
        return self._submit(user, watched)

    async def until_asked(self, user: AbstractUser, count: int) -> None:
        """Return once so many pieces of a user's work were asked for."""
        async with asyncio.timeout(PATIENCE):
            while count:
                count -= await self._asked.get() == user.pk

    def forget(self) -> None:
        """Let what follows be the first, and hold it."""
        self.begun.clear()
        self._asked = asyncio.Queue()
        self.released.clear()

    def held_up_by(self, many: AbstractUser, other: AbstractUser) -> int:
        """Return how many pieces of one user's work were begun before the first of another's."""
        return self.begun[: self.begun.index(other.pk)].count(many.pk)


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    watch = Watch(rendering.workers().threads, monkeypatch)
    yield watch
    watch.released.set()


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Watch]:
    watch = Watch(hops._threads("write"), monkeypatch)
    watch.released.set()
    yield watch
    watch.released.set()


async def ask_many(connect: Connect, owner: AbstractUser, *texts: str) -> list[Client]:
    """Sockets of the owner, each of which has asked for the texts."""
    clients = [await connect(owner) for _ in range(SOCKETS)]
    for client in clients:
        await client.ask("markdown.render", texts=list(texts))
        await client.call("account.usage")  # answered: what came before it was read
    return clients


async def test_large_formulas_of_one_user_hold_up_another_for_one(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, renders: Watch
) -> None:
    other = await connect(outsider)
    await ask_many(connect, owner, LARGE)
    await renders.until_asked(owner, WORKERS)
    asked = await other.ask("markdown.render", texts=["**mine**"])
    await renders.until_asked(outsider, 1)
    renders.released.set()
    assert (await other.answer(asked))["html"] == ['<p dir="auto"><strong>mine</strong></p>\n']
    # What the workers had begun before it came, and one more.
    assert renders.held_up_by(owner, outsider) <= WORKERS + 1


async def test_renders_of_closed_sockets_are_never_begun(connect: Connect, owner: AbstractUser, renders: Watch) -> None:
    clients = await ask_many(connect, owner, "a", "b", "c")
    await renders.until_asked(owner, WORKERS)
    for client in clients:
        await client.leave()  # and the running ones are not waited for: nothing is released
    assert renders.threads.waiting() == 0
    renders.released.set()
    await rendering.render_all(owner.pk, ["the next"])
    assert len(renders.begun) <= WORKERS + 1


async def test_hundreds_of_commands_of_one_user_hold_up_another_for_one(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, writes: Watch
) -> None:
    clients, other = [await connect(owner) for _ in range(4)], await connect(outsider)
    sessions = [(await clients[0].call("session.create"))["session"]["id"] for _ in range(50)]
    await other.call("session.create")
    writes.forget()
    asked = [
        (client, await client.ask("session.update", session_id=session, pinned=True))
        for client in clients
        for session in sessions
    ]
    await writes.until_asked(owner, 4 * 50)
    mine = await other.ask("session.create")
    await writes.until_asked(outsider, 1)
    writes.released.set()
    await other.answer(mine)
    assert writes.held_up_by(owner, outsider) <= writes.threads.size + 1
    for client, request_id in asked:
        await client.answer(request_id)


async def test_a_closed_sockets_reads_are_dropped_and_its_writes_are_not(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[Any] = []
    begun, released = threading.Event(), threading.Event()

    def search(*asked: Any) -> list[Any]:
        searched.append(asked)
        begun.set()
        assert released.wait(PATIENCE)
        return []

    monkeypatch.setattr(transcripts, "search", search)
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    for number in range(10):
        await client.notify("session.search", query=str(number))
        await client.notify("session.open", session_id=session_id)
        await client.notify("session.update", session_id=session_id, title=str(number))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    await client.leave()
    released.set()
    assert len(searched) == 1
    assert (await database.read(ChatSession.objects.get, pk=session_id)).title == "9"


async def test_work_of_one_user_that_stands_still_leaves_threads_to_others(transactional_db: None) -> None:
    begun: list[int] = []
    first, released = threading.Event(), threading.Event()

    def stand(number: int) -> None:
        begun.append(number)
        first.set()
        assert released.wait(PATIENCE)

    standing = [asyncio.ensure_future(database.of("many").read(stand, number)) for number in range(8)]
    # All eight were asked for before it.
    assert await asyncio.to_thread(first.wait, PATIENCE)
    try:
        async with asyncio.timeout(PATIENCE / 2):
            assert await database.of("one").read(lambda: "done") == "done"
        assert len(begun) <= hops._threads("read").size // 2
    finally:
        released.set()
    await asyncio.gather(*standing)
    assert sorted(begun) == list(range(8))
