"""One purge, from its beginning to its end: what users have asked for, then what the policies say.

Safe at any time, twice, and in several processes at once: each chat goes in one transaction, which looks again. After
each it pauses for twice the time that this took, so that users have the most of the database.

What protects from a mistake, of a person or of a clock, is asked before the first chat goes:

1. A run whose last one is a week ago deletes nothing (``runs``).
2. Where the policies would delete more than a quarter of the chats that they concern, and more than ten, they are not
   applied: a policy that is new, or far shorter than before, is confirmed by an operator (``--force``).

Either is in the run's row and in the log. What users have asked for goes whatever its share is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import Any

from sessions_app import audit, database
from sessions_app.errors import Conflict
from sessions_app.files import clearing
from sessions_app.jobs import clearing as exports
from sessions_app.models import DeletionKind, DeletionRequest, PurgeRun
from sessions_app.purging import erasing, leftovers, policies, requests, runs
from sessions_app.purging.policies import Survey
from sessions_app.purging.runs import Run

logger = logging.getLogger(__name__)

MOST_PERCENT = 25
"""Of the chats that policies concern, what they delete in one run without somebody's word."""
FEW_CHATS = 10

_LONGEST_PAUSE_SECONDS = 2.0
_CHATS_AT_ONCE = 100
# Looks at a turn that was asked to stop, a second each: its process does so at its next heartbeat.
_LOOKS = 15
_LOOK_SECONDS = 1.0

Write = Callable[..., Awaitable[Any]]
"""Carries out a transaction, given its function and arguments, and has its facts told."""


def too_much(found: Survey) -> str:
    """Return why so much is not deleted without somebody's word; empty where it is."""
    if found.chats <= max(FEW_CHATS, found.of * MOST_PERCENT // 100):
        return ""
    return (
        f"The policies would delete {found.chats:,} of {found.of:,} chats, more than {MOST_PERCENT} percent. "
        "Nothing was deleted by them. If that is right: manage.py purge --force."
    )


def too_long(pause: timedelta | None) -> str:
    """Return why nothing is deleted after such a pause since the last purge; empty where it is."""
    if pause is None or pause < runs.LONGEST_PAUSE:
        return ""
    return (
        f"By the database's clock the last purge was {pause.days:,} days ago: the site was off, or the clock is wrong. "
        "Nothing was deleted. If the clock is right, the next night goes on; or now: manage.py purge --force."
    )


class Purge:
    """A run under way. Lives until ``carry_out`` returns. A process is dead after ``silence`` seconds."""

    def __init__(self, write: Write, run: Run, silence: float) -> None:
        self._write_now = write
        self._run = run
        self._silence = silence

    async def carry_out(self, *, force: bool = False) -> PurgeRun:
        """Delete what is due, and return the run's row; ``force`` is a person's word that it is meant.

        Raises ClaimLost where another process goes on with the run.
        """
        pause = await database.read(runs.pause_before, self._run)
        refusal = "" if force else too_long(pause)
        if not refusal:
            await self._erase_asked()
            refusal = await self._erase_due(force)
        if refusal:
            logger.error("the purge: %s", refusal)
            await self._write(runs.refuse, refusal)
        done: PurgeRun = await self._write(runs.finish)
        if done.chats or done.accounts:
            logger.info("purged %d chats, %d messages, %d accounts", done.chats, done.messages, done.accounts)
            await clearing.clear_removed()
            await exports.clear()
            await leftovers.remove()
        return done

    async def _erase_due(self, force: bool) -> str:
        """Delete what the policies say, and return why that was not done."""
        if not force and (refusal := too_much(await database.read(policies.survey))):
            return refusal
        place = None
        while True:
            page = await database.read(policies.page, place)
            for chat in page.due:
                await self._write(erasing.erase_due, chat.owner_id, chat.session_id)
            if (place := page.place) is None:
                return ""

    async def _erase_asked(self) -> None:
        for request in await database.read(requests.due):
            try:
                if await self._write(erasing.begin, request) and await self._erase_chats(request):
                    await self._end(request)
            except Conflict:
                continue  # a legal hold has come: the rest waits for its end

    async def _erase_chats(self, request: DeletionRequest) -> bool:
        """Delete the chats of a request; False where a turn does not end: the next run goes on."""
        while some := await database.read(requests.some_chats_of, request, _CHATS_AT_ONCE):
            for session_id in some:
                for _ in range(_LOOKS):
                    if await self._write(erasing.erase_asked, request.owner_id, session_id, self._silence):
                        break
                    await asyncio.sleep(_LOOK_SECONDS)
                else:
                    return False
        return True

    async def _end(self, request: DeletionRequest) -> None:
        if request.kind == DeletionKind.CHATS:
            await self._write(erasing.end_chats, request)
            return
        while await self._write(erasing.erase_some_rows, request):
            pass
        await self._write(erasing.end_account, request)

    async def _write(self, work: Callable[..., Any], *args: Any) -> Any:
        """Carry out one step of the run, and let others have their turn."""
        began = perf_counter()
        result = await self._write_now(_acting, work, self._run, *args)
        await asyncio.sleep(min(2 * (perf_counter() - began), _LONGEST_PAUSE_SECONDS))
        return result


def _acting(work: Callable[..., Any], *args: Any) -> Any:
    """Have the audit say that a purge has done it, in whichever process."""
    with audit.acting(lambda: audit.Origin(audit.program("purge"))):
        return work(*args)
