"""Remove jobs that ended a day ago, and those of users who may no longer act: their objects first, then their rows.

Several processes may do so at once, and each step may be cut off: the next one does it again.
"""

from __future__ import annotations

import asyncio

from sessions_app import database
from sessions_app.files import store
from sessions_app.jobs import rows


async def clear() -> int:
    """Remove them, and return how many."""
    await database.write(rows.expire)
    count = 0
    while some := await database.read(rows.removed):
        for job in some:
            keys = [store.key_of(job.owner_id, job.folder, name) for name in (job.source, job.result) if name]
            await asyncio.to_thread(store.delete, keys)
        await database.write(rows.forget, [job.pk for job in some])
        count += len(some)
    return count
