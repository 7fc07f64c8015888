"""What `manage.py purge` removes of files: those that nothing has, and what was left of others in the store.

Safe at any time, twice, and in several processes at once, while files are added. An upload that is on its way is never
taken. Its row is stored before its first object, and the rows are asked for *after* the objects were seen: an object
without a row belongs to nothing. A content that is pending is given up only after an hour, and an upload that ends
later finds its row gone and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sessions_app import database
from sessions_app.files import clearing, store
from sessions_app.files.clearing import Waiting
from sessions_app.files.store import Folder
from sessions_app.models import ContentState, FileContent, Job

_FOLDERS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class PurgedFiles:
    """What was removed, or would be; ``lost`` are files whose bytes are not in the store: these stay as they are."""

    files: int
    uploads: int
    contents: int
    strays: int
    lost: int


async def purge_files(*, dry_run: bool) -> PurgedFiles:
    """Remove files that nobody refers to, and what is left of others; on a dry run only count them."""
    done = await (database.read(clearing.waiting) if dry_run else _clear())
    ready = await database.read(_ready)
    strays = await _purge_strays(ready, dry_run=dry_run)
    lost = await database.read(_still_ready, list(ready.values()))
    return PurgedFiles(done.files, done.uploads, done.contents, strays, lost)


async def _clear() -> Waiting:
    # First what was given up before: then what is counted is what a dry run counts.
    contents = await clearing.clear_removed() + await clearing.clear_unheld()
    done = Waiting(await clearing.clear_abandoned(), await clearing.clear_broken_off(), contents)
    await clearing.clear_removed()
    return done


async def _purge_strays(ready: dict[UUID, int], *, dry_run: bool) -> int:
    """Remove the folders that have no row, and return how many those are; take out of ``ready`` what is there."""
    count, folders = 0, store.folders()
    while some := await asyncio.to_thread(_next, folders):
        known = await database.read(_known, [folder.id for folder in some])
        for folder in some:
            if folder.names:
                ready.pop(folder.id, None)
            if folder.id not in known:
                count += 1
                if not dry_run:
                    await asyncio.to_thread(store.remove_folder, folder)
    return count


def _next(folders: Iterator[Folder]) -> list[Folder]:
    return list(islice(folders, _FOLDERS_AT_ONCE))


def _known(ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the folders that belong to a file, or to a job."""
    files, jobs = FileContent.objects.filter(folder__in=ids), Job.objects.filter(folder__in=ids)
    return {folder for rows in (files, jobs) for folder in rows.values_list("folder", flat=True)}


def _ready() -> dict[UUID, int]:
    """Return the folders of all contents that are there, with the keys of these."""
    return dict(FileContent.objects.filter(state=ContentState.READY).values_list("folder", "pk"))


def _still_ready(pks: Sequence[int]) -> int:
    """Return how many of the contents were not removed meanwhile."""
    rows = FileContent.objects.filter(state=ContentState.READY)
    return sum(rows.filter(pk__in=pks[start : start + 500]).count() for start in range(0, len(pks), 500))
