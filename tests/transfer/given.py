"""Jobs of one user, done by a process of the test."""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import Any

from sessions_app import database
from sessions_app.files import store
from sessions_app.jobs import rows
from sessions_app.jobs.running import Jobs
from sessions_app.models import Job, JobKind
from sessions_app.realtime.bus import Bus
from sessions_app.realtime.delivery import Delivery
from sessions_app.realtime.publishing import Publisher
from tests.turns.host import within

LEASE = 15.0


def process(name: str = "one", lease: float = LEASE) -> Jobs:
    """A process that does jobs, and tells nobody of it."""
    delivery = Delivery(lambda _: None)
    return Jobs(name, Publisher(delivery, Bus(None, name, lambda _: None)), lease)


async def job_of(shape: rows.JobShape) -> Job:
    return await database.read(Job.objects.get, pk=shape.id)


async def exported(user_id: int) -> bytes:
    """The archive of a user's account."""
    asked = await database.write(rows.ask_for_export, user_id)
    await within(process().do_all())
    job = await job_of(asked)
    assert job.result, job.report
    return await asyncio.to_thread(store.read, store.key_of(user_id, job.folder, job.result))


async def send(user_id: int, content: bytes) -> rows.JobShape:
    """Have a file imported, later."""
    job = await database.write(rows.reserve_import, user_id, hashlib.sha256(content).hexdigest())
    await asyncio.to_thread(store.put, store.key_of(user_id, job.folder, job.source), io.BytesIO(content))
    return await database.write(rows.begin_import, user_id, job.pk)


async def imported(user_id: int, content: bytes) -> Any:
    """The report of an import."""
    asked = await send(user_id, content)
    await within(process().do_all())
    job = await job_of(asked)
    assert job.kind == JobKind.IMPORT
    return job.report
