"""`POST /api/account/export`, `GET /api/jobs/ID` and its result: what takes longer than a request."""

from __future__ import annotations

import asyncio
import re
from typing import IO
from uuid import UUID

from pydantic import BaseModel

from sessions_app.api.auth import Caller
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.errors import NotFound
from sessions_app.files import store
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.guarding import guarded
from sessions_app.jobs import rows
from sessions_app.jobs.rows import JobShape, job_shape
from sessions_app.models import Job
from sessions_app.transfer_api import ranges

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PIECE_BYTES = 64 * 1024
FIELDS = {"range": "One range of bytes, to go on with a download.", "if-range": "The ETag of what was begun."}


class JobAnswer(BaseModel):
    """What was begun."""

    job: JobShape


def _not_found() -> ApiError:
    return ApiError(404, "There is no such job.", code="not_found")


async def ask_for_export(exchange: Exchange, caller: Caller) -> None:
    """Begin to export the account. Where that is under way already, its job is answered; an earlier result goes.

    Raises CommandError, Unauthorised.
    """
    shape = await caller.write(rows.ask_for_export, caller.user_id)
    await answer_job(exchange, shape)


async def answer_job(exchange: Exchange, shape: JobShape) -> None:
    """Answer with a job that was begun."""
    body = JobAnswer(job=shape).model_dump_json().encode()
    await exchange.answer(body, status=202, headers={"Cache-Control": "no-store"})


async def show(exchange: Exchange, caller: Caller, job_id: str) -> None:
    """Tell how far a job is, and what came of it. It is kept for a day after its end. Raises ApiError, Unauthorised."""
    shape = job_shape(await _find(caller, job_id))
    await exchange.answer(shape.model_dump_json().encode(), headers={"Cache-Control": "no-store"})


async def _find(caller: Caller, job_id: str) -> Job:
    if not _ID.fullmatch(job_id):
        raise _not_found()
    try:
        return await caller.read(rows.find, caller.user_id, UUID(job_id))
    except NotFound:
        raise _not_found() from None


async def give(exchange: Exchange, caller: Caller, job_id: str) -> None:
    """Give the file that a job has made, or a part of it. Raises ApiError, Unauthorised."""
    job = await _find(caller, job_id)
    if not job.result:
        raise _not_found()
    status, start, end = _part(exchange, job)
    try:
        source = await asyncio.to_thread(store.open_object, store.key_of(job.owner_id, job.folder, job.result))
    except FileNotFoundError:
        raise _not_found() from None
    try:
        await caller.record(Action.EXPORT_TAKEN, Object(ObjectKind.JOB, job.pk), user=job.owner_id)
        async with guarded(exchange, caller):
            await _send(exchange, source, (start, end), status, _headers(job, start, end, status))
    finally:
        await asyncio.to_thread(source.close)


def _part(exchange: Exchange, job: Job) -> tuple[int, int, int]:
    """Return status, first byte and end of what is to be sent. Raises ApiError."""
    header, condition = exchange.fields.get("range", ""), exchange.fields.get("if-range", "")
    try:
        found = ranges.wanted(header, job.size) if condition in ("", _tag(job)) else None
    except ranges.Unsatisfiable:
        told = {"Content-Range": f"bytes */{job.size}"}
        raise ApiError(416, f"The file has {job.size:,} bytes.", code="range_not_satisfiable", headers=told) from None
    return (206, *found) if found else (200, 0, job.size)


def _tag(job: Job) -> str:
    return f'"{job.result}"'


def _headers(job: Job, start: int, end: int, status: int) -> dict[str, str]:
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="hermes-{job.created_at:%Y-%m-%d}.zip"',
        "Content-Length": str(end - start),
        "Accept-Ranges": "bytes",
        "ETag": _tag(job),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }
    return {**headers, "Content-Range": f"bytes {start}-{end - 1}/{job.size}"} if status == 206 else headers


async def _send(
    exchange: Exchange, source: IO[bytes], part: tuple[int, int], status: int, headers: dict[str, str]
) -> None:
    start, end = part
    await asyncio.to_thread(source.seek, start)
    left = end - start
    while left and (piece := await asyncio.to_thread(source.read, min(_PIECE_BYTES, left))):
        left -= len(piece)
        await exchange.stream(piece, headers, status=status)
    await exchange.end_stream()
