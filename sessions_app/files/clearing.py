"""Clear away: objects of contents that nobody has, files that were never sent, and what a killed process has left.

Each step may be done by several processes at once, or be cut off at any point: the next one does it again. A content's
row goes last, so that its objects are found until they are gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sessions_app import database
from sessions_app.conversations import access, attachments
from sessions_app.files import keeping, store
from sessions_app.models import ContentState, FileContent, UserFile

logger = logging.getLogger(__name__)

K = TypeVar("K")

UNSENT_FOR = timedelta(days=1)
"""After so long a file that no message has had is removed."""

PENDING_FOR = timedelta(hours=1)
"""After so long nobody writes a content any more: its process was killed, or has given up."""

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to clear away: files that nothing has, uploads that broke off, contents that were given up."""

    files: int
    uploads: int
    contents: int


async def clear_removed() -> int:
    """Remove the objects of contents that are to be removed, then their rows; return how many contents that were."""
    count = 0
    while some := await database.read(_removed):
        for content in some:
            keys = [store.key_of(content.owner_id, content.folder, name) for name in keeping.objects_of(content)]
            await asyncio.to_thread(store.delete, keys)
        await database.write(_forget, [content.pk for content in some])
        count += len(some)
    return count


async def tidy() -> None:
    """Remove at once what a command has given up. What fails is done again by the supervisor."""
    try:
        await clear_removed()
    except Exception:
        logger.exception("files that were removed are still in the store")


class Tidying:
    """Removes beside a command what that has given up: the store of files may take its time. One round at once.

    Lives as long as the process. What a process that ends leaves, the supervisor of another one removes.
    """

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None
        self._is_wanted = False

    def begin(self) -> None:
        """Have it done soon; what is given up during a round has a round of its own."""
        self._is_wanted = True
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._is_wanted:
            self._is_wanted = False
            await tidy()

    async def done(self) -> None:
        """Return when nothing is to be done any more."""
        if self._running is not None:
            await asyncio.wait([self._running])

    async def stop(self) -> None:
        """End it, wherever it is."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])


async def clear_abandoned() -> int:
    """Remove files that nothing has; return how many that were."""
    count = 0
    while some := await database.read(_abandoned):
        for owner_id, file_ids in some.items():
            await database.of(owner_id).write(attachments.release, owner_id, file_ids)
            count += len(file_ids)
    return count


async def clear_broken_off() -> int:
    """Give up contents that nobody writes any more; return how many that were."""
    return await database.write(_give_up_pending)


async def clear_unheld() -> int:
    """Give up contents whose files another program has deleted; return how many that were."""
    count = 0
    while some := await database.read(_unheld):
        for owner_id, contents in some.items():
            await database.of(owner_id).write(_give_up, owner_id, contents)
            count += len(contents)
    return count


def waiting() -> Waiting:
    """Return what there is to clear away."""
    contents = FileContent.objects.filter(Q(state=ContentState.REMOVED) | _is_unheld()).count()
    return Waiting(_unused().count(), _pending_too_long().count(), contents)


def _removed() -> list[FileContent]:
    rows = FileContent.objects.filter(state=ContentState.REMOVED).defer("text")
    return list(rows.order_by("created_at")[:_AT_ONCE])


def _forget(pks: list[int]) -> None:
    FileContent.objects.filter(pk__in=pks, state=ContentState.REMOVED).delete()


def _give_up_pending() -> int:
    return _pending_too_long().update(state=ContentState.REMOVED)


def _pending_too_long() -> QuerySet[FileContent]:
    old = timezone.now() - PENDING_FOR
    return FileContent.objects.filter(state=ContentState.PENDING, created_at__lt=old)


def _is_unheld() -> Q:
    return ~Q(Exists(UserFile.objects.filter(content=OuterRef("pk")))) & Q(state=ContentState.READY)


def _unheld() -> dict[int, list[int]]:
    """Return contents whose files another program has deleted, by their owners."""
    rows = FileContent.objects.filter(_is_unheld())
    return _by_owner(rows.values_list("owner_id", "pk")[:_AT_ONCE])


def _give_up(owner_id: int, contents: list[int]) -> None:
    access.lock_user(owner_id)
    attachments.give_up(contents)


def _abandoned() -> dict[int, list[UUID]]:
    """Return files that nothing has, by their owners."""
    return _by_owner(_unused().values_list("owner_id", "pk")[:_AT_ONCE])


def _unused() -> QuerySet[UserFile]:
    """Return files that nothing has: those that something had, and those that were never sent."""
    old = timezone.now() - UNSENT_FOR
    return attachments.unused(UserFile.objects.filter(attached=True) | UserFile.objects.filter(created_at__lt=old))


def _by_owner(rows: Iterable[tuple[int, K]]) -> dict[int, list[K]]:
    found: dict[int, list[K]] = {}
    for owner_id, key in rows:
        found.setdefault(owner_id, []).append(key)
    return found
