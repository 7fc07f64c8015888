"""What people do: talk in several chats from several tabs, stop, withdraw, rename, delete, go away, come back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.chaos.tab import NOT_FOUND, OUR_FAULT, TOO_MANY, Lost, Refused, Tab
from tests.chaos.view import Json

TABS = (2, 3)
CHATS = 2
# Texts of one chat that may wait for their answers.
AHEAD = 4


@dataclass(slots=True)
class Sent:
    """A text that was said, with the run it became once that was acknowledged."""

    user: str
    session_id: str
    message_id: str
    text: str
    run_id: str | None = None


@dataclass(slots=True)
class Doings:
    """All that the users did. `sent` is in the order of acknowledgement, for each chat by itself."""

    sent: list[Sent] = field(default_factory=list)
    unacknowledged: list[Sent] = field(default_factory=list)
    stop_asked: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)


class User:
    """A user with their tabs; `name` is what the database calls them."""

    def __init__(
        self, name: str, token: str, addresses: list[str], doings: Doings, seed: str, group: asyncio.TaskGroup
    ) -> None:
        self.name = name
        self.doings = doings
        self.chance = random.Random(f"{seed}/{name}")
        count = self.chance.randint(*TABS)
        self.tabs = [self._tab(f"{name} tab {number}", token, addresses) for number in range(count)]
        self.lives = [group.create_task(tab.live()) for tab in self.tabs]

    def _tab(self, name: str, token: str, addresses: list[str]) -> Tab:
        chance = random.Random(self.chance.random())
        return Tab(name, token, lambda: chance.choice(addresses), chance)

    async def live(self, over: asyncio.Event) -> None:
        """Do things until it is over; then every text that was said is acknowledged."""
        async with asyncio.TaskGroup() as group:
            for number in range(CHATS):
                group.create_task(self._chat(number, over))
            for tab in self.tabs:
                group.create_task(self._wander(tab, over))

    async def _wander(self, tab: Tab, over: asyncio.Event) -> None:
        chance = random.Random(self.chance.random())
        while not await passes(over, chance.uniform(2, 15)):
            if chance.random() < 0.4 and tab.views:
                tab.open(chance.choice(list(tab.views)))
            else:
                self.doings.counts["connections dropped"] += 1
                tab.drop(chance.choice((0, 0, 3)))

    async def _chat(self, number: int, over: asyncio.Event) -> None:
        chance = random.Random(self.chance.random())
        chats = 0
        while not over.is_set():
            chat = Chat(self, f"{self.name} chat {number}.{chats}", chance)
            await chat.live(over)
            chats += 1


class Chat:
    """One chat of a user, in which texts are said one after the other: the next when the one before is acknowledged."""

    def __init__(self, user: User, name: str, chance: random.Random) -> None:
        self.name = name
        self._user = user
        self._doings = user.doings
        self._chance = chance
        self._said = 0
        self._id = ""

    async def live(self, over: asyncio.Event) -> None:
        """Until it is over, or the chat is deleted."""
        self._id = (await self._insist("session.create", title=self.name))["session"]["id"]
        first, *others = self._user.tabs
        first.open(self._id)
        for tab in others:
            if self._chance.random() < 0.8:
                tab.open(self._id)
        acts = self._acts()
        while not await passes(over, self._chance.uniform(0.3, 6)):
            [act] = self._chance.choices(list(acts), list(acts.values()))
            await act()
            if self._id in self._doings.deleted:
                return

    def _acts(self) -> dict[Callable[[], Any], float]:
        return {
            self._say: 10,
            self._say_much: 4,
            self._stop: 2,
            self._withdraw: 2,
            self._rename: 1,
            self._delete: 0.2,
        }

    async def _say(self) -> None:
        if self._waiting() >= AHEAD:
            return
        self._said += 1
        message_id = str(UUID(int=self._chance.getrandbits(128), version=4))
        filler = " ".join(["so"] * self._chance.randint(0, 60))
        sent = Sent(self._user.name, self._id, message_id, f"{self.name} text {self._said} {filler}")
        self._doings.unacknowledged.append(sent)
        if self._chance.random() < 0.1:
            asyncio.get_running_loop().call_later(self._chance.uniform(0, 0.05), self._tab().drop)
        sent.run_id = await self._start(sent)
        self._doings.unacknowledged.remove(sent)
        self._doings.sent.append(sent)
        if self._chance.random() < 0.05:
            assert await self._start(sent) == sent.run_id, f"another turn for {sent}"

    async def _start(self, sent: Sent) -> str:
        params = {"session_id": sent.session_id, "text": sent.text, "message_id": sent.message_id}
        started = await self._insist("turn.start", **params)
        assert started["message"]["id"] == sent.message_id
        return str(started["run_id"])

    async def _say_much(self) -> None:
        for _ in range(self._chance.randint(2, 3)):
            await self._say()

    def _waiting(self) -> int:
        return max((len(tab.views[self._id].queued) for tab in self._user.tabs if self._id in tab.views), default=0)

    async def _stop(self) -> None:
        tab = self._tab()
        view = tab.views.get(self._id)
        if view is not None and view.run is not None:
            await self._end(tab, view.run.run_id)

    async def _withdraw(self) -> None:
        tab = self._tab()
        view = tab.views.get(self._id)
        if view is not None and view.queued:
            await self._end(tab, self._chance.choice(view.queued)["run_id"])

    async def _end(self, tab: Tab, run_id: str) -> None:
        self._doings.stop_asked.add(run_id)
        self._doings.counts["stops asked for"] += 1
        await self._try(tab, "turn.stop", session_id=self._id, run_id=run_id)

    async def _rename(self) -> None:
        await self._try(self._tab(), "session.update", session_id=self._id, title=f"{self.name} {self._said}")

    async def _delete(self) -> None:
        self._doings.deleted.add(self._id)
        self._doings.counts["chats deleted"] += 1
        try:
            await self._insist("session.delete", session_id=self._id)
        except Refused as refused:  # an earlier try of this request has done it
            if refused.code != NOT_FOUND:
                raise

    def _tab(self) -> Tab:
        return self._chance.choice(self._user.tabs)

    async def _insist(self, method: str, **params: Any) -> Json:
        """The answer to a request, asked again, of whichever process, until one comes. Raises Refused."""
        while True:
            if (answer := await self._try(self._tab(), method, **params)) is not None:
                return answer
            await asyncio.sleep(self._chance.uniform(0.05, 0.5))

    async def _try(self, tab: Tab, method: str, **params: Any) -> Json | None:
        """The answer, or None where the connection was lost or the server could not. Raises Refused."""
        try:
            return await tab.call(method, **params)
        except Lost:
            self._doings.counts["requests lost"] += 1
        except Refused as refused:
            if refused.code not in (OUR_FAULT, TOO_MANY):
                raise
            self._doings.counts[f"refused with {refused.code}: {method}"] += 1
        return None


async def passes(over: asyncio.Event, seconds: float) -> bool:
    """Waits so long; True as soon as it is over."""
    try:
        async with asyncio.timeout(seconds):
            return await over.wait()
    except TimeoutError:
        return False
