"""Deliver each user's facts to the connections of this process: strictly by cursor, each once.

For each user with a connection here there is one number: the cursor of the last fact delivered. What this process has
committed itself arrives with its value (``announce``) and is delivered at once where it is the next; else what lies
between is read from the journal. Of what others have committed there is word in two ways, and neither has to be
reliable for the facts to arrive: a *hint* over the channel layer (a user and a cursor) within milliseconds, and the
*poll*, once a second, which compares the heads of all connected users. So nothing is told twice, nothing is left out,
and nobody has to remember what was told.

A run's events follow the fact that its turn began, and its last one comes with the fact that the turn ended: whichever
process has run it, and whichever process delivers it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sessions_app import database, journal
from sessions_app.journal import Fact
from sessions_app.realtime.notices import RunNotice, fact_notice, run_notice
from sessions_app.realtime.subscriptions import Subscriptions

logger = logging.getLogger(__name__)

# Facts that one read brings.
PAGE = 200
_RETRY_SECONDS = 0.5


@dataclass(slots=True)
class _Place:
    """How far a user's connections have been told; ``cursor`` is None until the journal was asked for its head."""

    cursor: int | None = None
    newest: int = 0
    ahead: dict[int, Fact] = field(default_factory=dict)
    # Run events that wait for the fact that their turn began.
    early: list[RunNotice] = field(default_factory=list)
    reading: asyncio.Task[None] | None = None


class Delivery:
    """The facts of this process's users on their way to their connections. Lives as long as its runner.

    ``heard`` gets each fact just before it is delivered.
    """

    def __init__(self, heard: Callable[[Fact], None]) -> None:
        self.subscriptions = Subscriptions(self)
        self._heard = heard
        self._places: dict[int, _Place] = {}

    def user_came(self, user_id: int) -> None:
        """Begin with a user: what is committed from here on is delivered."""
        self._places[user_id] = place = _Place()
        self._read(user_id, place)

    def user_left(self, user_id: int) -> None:
        """Forget a user."""
        place = self._places.pop(user_id)
        if place.reading is not None:
            place.reading.cancel()

    async def ready(self, user_id: int) -> None:
        """Return when the place of a user who is here is known: what comes after it will be delivered."""
        while (place := self._places.get(user_id)) and place.cursor is None and place.reading is not None:
            await asyncio.wait([place.reading])

    def announce(self, facts: Iterable[Fact]) -> None:
        """Deliver facts that this process has committed."""
        for fact in facts:
            if (place := self._places.get(fact.owner_id)) is not None:
                place.ahead[fact.cursor] = fact
                self._hear_of(fact.owner_id, place, fact.cursor)

    def hint(self, user_id: int, cursor: int) -> None:
        """Take word that another process has committed a fact of a user."""
        if (place := self._places.get(user_id)) is not None:
            self._hear_of(user_id, place, cursor)

    async def poll(self) -> None:
        """Find what was committed without a word."""
        users = self.subscriptions.users
        if users:
            for user_id, cursor in (await database.SUPERVISOR.read(journal.heads, users)).items():
                self.hint(user_id, cursor)

    def has_told(self, user_id: int, cursor: int) -> bool:
        """Tell whether a user's connections here have been told the fact of a cursor, or came after it."""
        place = self._places.get(user_id)
        return place is not None and place.cursor is not None and place.cursor >= cursor

    def run_event(self, user_id: int, notice: RunNotice) -> None:
        """Deliver an event of a run, once it is told that its turn began."""
        place = self._places.get(user_id)
        if place is None:
            return
        if place.cursor is None or place.cursor < notice.began:
            place.early.append(notice)
        else:
            self.subscriptions.deliver(user_id, notice)

    def _hear_of(self, user_id: int, place: _Place, cursor: int) -> None:
        place.newest = max(place.newest, cursor)
        if place.cursor is not None:
            self._advance(user_id, place)
            if place.cursor < place.newest:
                self._read(user_id, place)

    def _read(self, user_id: int, place: _Place) -> None:
        if place.reading is None:
            place.reading = asyncio.create_task(self._catch_up(user_id, place))

    async def _catch_up(self, user_id: int, place: _Place) -> None:
        """Read the head where the place is not known yet, then what is missing."""
        try:
            while self._places.get(user_id) is place and (place.cursor is None or place.cursor < place.newest):
                try:
                    await self._read_on(user_id, place)
                except Exception:
                    logger.exception("the journal cannot be read; it is tried again")
                    await asyncio.sleep(_RETRY_SECONDS)
        finally:
            place.reading = None

    async def _read_on(self, user_id: int, place: _Place) -> None:
        if place.cursor is None:
            place.cursor = await database.of(user_id).read(journal.head, user_id)
        else:
            await self._read_page(user_id, place, place.cursor)
        self._advance(user_id, place)

    async def _read_page(self, user_id: int, place: _Place, cursor: int) -> None:
        newest = place.newest
        page = await database.of(user_id).read(journal.after, user_id, cursor, PAGE)
        if not page.facts and place.newest == newest:
            # There was word of what is not there: its commit was lost with a server. Until there is more word, enough.
            place.newest = cursor
        if page.reset:
            # Removed before it was delivered: the clients find a gap in the cursors, and ask.
            place.cursor = max(cursor, page.cursor)
        for fact in page.facts:
            place.ahead.setdefault(fact.cursor, fact)

    def _advance(self, user_id: int, place: _Place) -> None:
        """Deliver what is next, as far as it is here."""
        if place.cursor is None:
            return
        for cursor in [each for each in place.ahead if each <= place.cursor]:
            del place.ahead[cursor]
        self._deliver_early(user_id, place)
        while (fact := place.ahead.pop(place.cursor + 1, None)) is not None:
            place.cursor = fact.cursor
            self._deliver(fact)
            self._deliver_early(user_id, place)

    def _deliver(self, fact: Fact) -> None:
        self._heard(fact)
        self.subscriptions.deliver(fact.owner_id, fact_notice(fact))
        session_id, run_id = fact.session_id, fact.subject
        if fact.end is not None and session_id is not None and run_id is not None:
            # Whoever has opened the session before this fact has been told of the run.
            last = run_notice(session_id, run_id, fact.end.seq, fact.end.event, began=fact.cursor)
            self.subscriptions.deliver(fact.owner_id, last)

    def _deliver_early(self, user_id: int, place: _Place) -> None:
        early, place.early = place.early, []
        for notice in early:
            self.run_event(user_id, notice)
