"""One run of chaos: start everything, let everybody do what they do, bring everything back, and gather the evidence."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.chaos.cluster import Cluster
from tests.chaos.doings import Doings
from tests.chaos.evidence import Evidence, Seen, gather
from tests.chaos.facts import Facts
from tests.chaos.faults import Faults
from tests.chaos.provider import Request
from tests.chaos.tab import Tab
from tests.chaos.users import User

# Seconds that turns get to end after everything is back, and views to become what is stored.
PATIENCE = 120.0
_LOOK = 0.2
_ALIVE = "SELECT count(*) FROM sessions_app_turn WHERE status IN ('queued', 'running')"


@dataclass(slots=True)
class Chaos:
    """A run over a cluster: so many seconds, from a seed. `timing` is how long each part took, in seconds."""

    cluster: Cluster
    requests: list[Request]
    faults: Faults
    seed: str
    seconds: float
    doings: Doings = field(default_factory=Doings)
    timing: dict[str, float] = field(default_factory=dict)
    users: list[User] = field(default_factory=list)

    async def run(self) -> Evidence:
        """Raises (in a group) what went against the contract on the way."""
        async with asyncio.TaskGroup() as group:
            self.users = self._users(group)
            with self._timed("chaos"):
                await self._rage()
            with self._timed("until all turns ended"):
                await self._quiet()
            with self._timed("until all views agreed"):
                seen = await self._agreed(group)
            evidence = await asyncio.to_thread(gather, self.cluster.database, self.doings, self.requests)
            evidence.seen = seen
            with self._timed("until all facts arrived"):
                evidence.facts = await self._all_facts(evidence)
            for user in self.users:
                for life in user.lives:
                    life.cancel()
        return evidence

    def _users(self, group: asyncio.TaskGroup) -> list[User]:
        addresses = [node.site.ws_url for node in self.cluster.nodes]
        tokens = {name: token for name, token in self.cluster.tokens.items() if name.startswith("user")}
        return [User(name, token, addresses, self.doings, self.seed, group) for name, token in tokens.items()]

    async def _rage(self) -> None:
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(self.seconds, over.set)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.faults.live(over))
            for user in self.users:
                group.create_task(user.live(over))

    async def _quiet(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if await asyncio.to_thread(self.cluster.database.run, _ALIVE) == [(0,)]:
                return
            await asyncio.sleep(_LOOK)

    async def _agreed(self, group: asyncio.TaskGroup) -> list[Seen]:
        fresh = {user.name: await self._freshly(user, group) for user in self.users}
        until = time.monotonic() + PATIENCE
        while True:
            seen = [each for user in self.users for each in _compared(user, fresh[user.name])]
            if all(each.agrees for each in seen) or time.monotonic() > until:
                return seen
            await asyncio.sleep(_LOOK)

    async def _all_facts(self, evidence: Evidence) -> list[tuple[str, str, Facts]]:
        """What each tab has from facts, once it has them all."""
        facts = [(user.name, tab.name, tab.facts) for user in self.users for tab in user.tabs]
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if all(own.cursor == evidence.heads.get(user, 0) for user, _, own in facts):
                break
            await asyncio.sleep(_LOOK)
        return facts

    async def _freshly(self, user: User, group: asyncio.TaskGroup) -> Tab:
        """A connection that has just opened all that the user's tabs have open."""
        address = self.cluster.nodes[0].site.ws_url
        tab = Tab(f"{user.name} afresh", self.cluster.tokens[user.name], lambda: address, random.Random(self.seed))
        life = group.create_task(tab.live())
        async with asyncio.timeout(PATIENCE):
            for session_id in {session_id for other in user.tabs for session_id in other.views}:
                await tab.look(session_id)
        life.cancel()
        return tab

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.timing[name] = round(time.monotonic() - began, 1)


def _compared(user: User, fresh: Tab) -> list[Seen]:
    """All but deleted sessions: a tab that was cut off at that moment learns it when it opens one."""
    stored = {session_id: view.shown() for session_id, view in fresh.views.items() if not view.gone}
    return [
        Seen(tab.name, session_id, None if view.gone else view.shown(), stored[session_id], list(tab.heard[session_id]))
        for tab in user.tabs
        for session_id, view in tab.views.items()
        if session_id in stored
    ]


def figures(chaos: Chaos, evidence: Evidence) -> str:
    """What happened, in numbers."""
    tabs: Counter[str] = Counter()
    for user in chaos.users:
        for tab in user.tabs:
            tabs += tab.counts
    repeated = sum(view.repeated for user in chaos.users for tab in user.tabs for view in tab.views.values())
    turns = Counter(f"{turn.status} {turn.error_code}".strip() for turn in evidence.turns)
    parts: dict[str, Mapping[str, float]] = {
        "turns": turns,
        "users": chaos.doings.counts + Counter({"texts acknowledged": len(chaos.doings.sent)}),
        "tabs": tabs + Counter({"events repeated": repeated}),
        "provider": Counter(requests=len(chaos.requests), whole=sum(request.whole for request in chaos.requests)),
        "faults": chaos.faults.counts,
        "seconds": chaos.timing,
    }
    return "\n".join(f"{name}: " + ", ".join(f"{k} {v}" for k, v in what.items()) for name, what in parts.items())
