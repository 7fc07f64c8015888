"""Clear away: objects of contents that nobody has, files that were never sent, and what a killed process has left.

Each step may be done by several processes at once, or be cut off at any point: the next one does it again. A content's
row goes last, so that its objects are found until they are gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef
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


async def clear_abandoned() -> int:
    """Remove files that nothing has, and contents that nobody writes any more; return how many files that were."""
    await database.write(_give_up_pending)
    count = 0
    while some := await database.read(_abandoned):
        for owner_id, file_ids in some.items():
            await database.of(owner_id).write(attachments.release, owner_id, file_ids)
            count += len(file_ids)
    for owner_id, contents in (await database.read(_unheld)).items():
        await database.of(owner_id).write(_give_up, owner_id, contents)
    return count


def _removed() -> list[FileContent]:
    rows = FileContent.objects.filter(state=ContentState.REMOVED).defer("text")
    return list(rows.order_by("created_at")[:_AT_ONCE])


def _forget(pks: list[int]) -> None:
    FileContent.objects.filter(pk__in=pks, state=ContentState.REMOVED).delete()


def _give_up_pending() -> None:
    old = timezone.now() - PENDING_FOR
    rows = FileContent.objects.filter(state=ContentState.PENDING, created_at__lt=old)
    rows.update(state=ContentState.REMOVED)


def _unheld() -> dict[int, list[int]]:
    """Return contents whose files another program has deleted, by their owners."""
    held = Exists(UserFile.objects.filter(content=OuterRef("pk")))
    rows = FileContent.objects.filter(~held, state=ContentState.READY)
    return _by_owner(rows.values_list("owner_id", "pk")[:_AT_ONCE])


def _give_up(owner_id: int, contents: list[int]) -> None:
    access.lock_user(owner_id)
    attachments.give_up(contents)


def _abandoned() -> dict[int, list[UUID]]:
    """Return files that nothing has, by their owners: those that something had, and those that were never sent."""
    old = timezone.now() - UNSENT_FOR
    rows = attachments.unused(UserFile.objects.filter(attached=True) | UserFile.objects.filter(created_at__lt=old))
    return _by_owner(rows.values_list("owner_id", "pk")[:_AT_ONCE])


def _by_owner(rows: Iterable[tuple[int, K]]) -> dict[int, list[K]]:
    found: dict[int, list[K]] = {}
    for owner_id, key in rows:
        found.setdefault(owner_id, []).append(key)
    return found
