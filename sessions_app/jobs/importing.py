"""The job that takes in what a user has brought."""

from __future__ import annotations

import asyncio
from functools import partial

from sessions_app import database
from sessions_app.files import store
from sessions_app.imports.chats import Unusable
from sessions_app.imports.taking import Taking
from sessions_app.jobs import rows
from sessions_app.jobs.rows import Claim
from sessions_app.realtime.publishing import Publisher
from sessions_app.transfer.archive import Progress


async def bring_in(publisher: Publisher, claimed: Claim, progress: Progress) -> None:
    """Do a job; its file is not needed any more when it has ended. Raises ClaimLost, and what the store says."""
    key = store.key_of(claimed.owner_id, claimed.folder, claimed.source)
    file = await asyncio.to_thread(store.open_object, key)
    door = database.of(claimed.owner_id)
    try:
        size = await asyncio.to_thread(file.seek, 0, 2)
        fence = partial(rows.note_taken, claimed)
        taking = Taking(claimed.owner_id, publisher, fence, progress, claimed.taken)
        try:
            report = await taking.take(file, size)
        except Unusable as unusable:
            await door.write(rows.fail, claimed, unusable.why)
        else:
            await door.write(rows.finish, claimed, report)
    finally:
        await asyncio.to_thread(file.close)
    await asyncio.to_thread(store.delete, [key])
