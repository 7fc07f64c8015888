"""`GET` and `DELETE /api/files/ID`: give a file back, so that no browser takes it for a page, or remove it.

Someone else's file, one that is not there and an id that is none are answered exactly alike.
"""

from __future__ import annotations

import re
from uuid import UUID

from sessions_app.api.auth import Caller
from sessions_app.errors import NotFound
from sessions_app.files import clearing, keeping
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.file_answers import send_file
from sessions_app.http_api.guarding import guarded
from sessions_app.models import UserFile

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _not_found() -> ApiError:
    return ApiError(404, "There is no such file.", code="not_found")


async def _find(caller: Caller, file_id: str) -> UserFile:
    if not _ID.fullmatch(file_id):
        raise _not_found()
    try:
        return await caller.read(keeping.find, caller.user_id, UUID(file_id))
    except NotFound:
        raise _not_found() from None


async def give(exchange: Exchange, caller: Caller, file_id: str) -> None:
    """Answer with the bytes of a file, or with a small picture of it. Raises ApiError, Unauthorised."""
    file = await _find(caller, file_id)
    async with guarded(exchange, caller):
        is_sent = await send_file(exchange, file, {})
    if not is_sent:
        raise _not_found()


async def remove(exchange: Exchange, caller: Caller, file_id: str) -> None:
    """Remove a file that no message has. Raises ApiError, CommandError, Unauthorised."""
    file = await _find(caller, file_id)
    try:
        await caller.write(keeping.remove, caller.user_id, file.pk)
    except NotFound:
        raise _not_found() from None
    await clearing.tidy()
    await exchange.answer(b"", status=204)
