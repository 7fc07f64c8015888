"""Carry out transactions and tell what they have made true: whatever changes sessions goes through here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import ParamSpec, TypeVar
from uuid import UUID

from sessions_app import journal
from sessions_app.database import Door
from sessions_app.journal import Fact
from sessions_app.models import FactName
from sessions_app.realtime.bus import Bus, group_of
from sessions_app.realtime.delivery import Delivery

P = ParamSpec("P")
R = TypeVar("R")


class Publisher:
    """Delivers the facts of this process's transactions, and hints at them to others. Lives as long as the process."""

    def __init__(self, delivery: Delivery, bus: Bus) -> None:
        self._delivery = delivery
        self._bus = bus
        # Cursors of the facts that turns began, from their commit to their launch.
        self._began: dict[UUID, int] = {}

    async def write(self, door: Door, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Carry out a transaction and deliver the facts that it wrote. What ``door`` raises goes to the caller."""
        recorded = await door.write(journal.recorded, work, *args, **kwargs)
        self._publish(recorded.facts)
        result: R = recorded.result
        return result

    def pop_began(self, run_id: UUID) -> int:
        """Return the cursor of the fact that a turn began, which this process has just committed; 0 of any other."""
        return self._began.pop(run_id, 0)

    def _publish(self, facts: Collection[Fact]) -> None:
        for fact in facts:
            if fact.name == FactName.TURN_BEGAN and fact.subject is not None:
                self._began[fact.subject] = fact.cursor
        self._delivery.announce(facts)
        for user_id, cursor in {fact.owner_id: fact.cursor for fact in facts}.items():
            self._bus.send(group_of(user_id), {"kind": "hint", "user": user_id, "cursor": cursor})
