"""What a connection is told that was let in by a token of one profile: nothing of the chats of other profiles.

Notices are encoded once for all connections of a user, with all that they tell. So of a fact only the cursor is taken,
and the fact is read from the journal as this caller may read it: of a chat that the token does not reach there are the
name and the cursor, and no value, as of one that was deleted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from sessions_app import journal
from sessions_app.api.auth import Caller, Unauthorised
from sessions_app.journal import Fact
from sessions_app.models import FactName
from sessions_app.realtime.notices import FactNotice, Notice, RunNotice, fact_notice
from sessions_app.realtime.subscriptions import Subscription

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_OF_SESSION = (FactName.SESSION_CREATED, FactName.SESSION_UPDATED)


class ProfileSubscription(Subscription):
    """Lives from its making, in the event loop, to ``leave``. Notices keep their order."""

    def __init__(self, caller: Caller, send: Callable[[str], None]) -> None:
        super().__init__(caller.user_id, send)
        self._caller = caller
        self._notices: asyncio.Queue[Notice] = asyncio.Queue()
        self._telling = asyncio.create_task(self._tell())

    def leave(self) -> None:
        """Tell nothing more."""
        self._telling.cancel()

    def deliver(self, notice: Notice) -> None:
        """Take a notice for this connection."""
        if not isinstance(notice, RunNotice) or self.has_open(notice.session_id):
            self._notices.put_nowait(notice)

    async def _tell(self) -> None:
        while True:
            notice = await self._notices.get()
            if not isinstance(notice, FactNotice):
                super().deliver(notice)
                continue
            try:
                fact = await self._read(notice)
            except Unauthorised:
                return  # the doorkeeper closes the connection
            if fact is not None:
                super().deliver(_told(fact))

    async def _read(self, notice: FactNotice) -> Fact | None:
        """Return the fact of a notice; None where it is kept no more. Raises Unauthorised."""
        while True:
            try:
                page = await self._caller.read(journal.after, self.user_id, notice.cursor - 1, 1)
            except Unauthorised:
                raise
            except Exception:
                logger.exception("the journal cannot be read; it is tried again")
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return page.facts[0] if page.facts else None


def _told(fact: Fact) -> FactNotice:
    """Encode a fact. A session of which nothing is told has another profile now, so that it is open no more."""
    notice = fact_notice(fact)
    if fact.name in _OF_SESSION and fact.value is None:
        return replace(notice, closes=fact.session_id)
    return notice
