"""What people do: talk in several chats from several tabs, go away, come back."""

from __future__ import annotations

import asyncio
import random

from tests.chaos.chat import Chat
from tests.chaos.clock import passes
from tests.chaos.doings import Doings
from tests.chaos.tab import Tab

TABS = (2, 3)
CHATS = 2


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
            chat = Chat(self.name, f"{self.name} chat {number}.{chats}", self.tabs, self.doings, chance)
            await chat.live(over)
            chats += 1
