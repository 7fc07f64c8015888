"""`POST /api/account/import`: take one export of a user, from the connection to the store, and begin its import."""

from __future__ import annotations

import asyncio
import errno
import logging
from contextlib import ExitStack
from typing import IO, BinaryIO, cast

from django.conf import settings

from sessions_app.api.auth import Caller
from sessions_app.files import store
from sessions_app.files.keeping import Upload
from sessions_app.files.store import StoreFull
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.forms import spooled
from sessions_app.http_api.pieces import Body
from sessions_app.jobs import rows
from sessions_app.jobs.rows import JobShape
from sessions_app.transfer_api.jobs import answer_job

logger = logging.getLogger(__name__)

_FULL = "The disk of this site is full. The file was not kept; everything else is as it was."


async def ask_for_import(exchange: Exchange, caller: Caller) -> None:
    """Take an export, and begin to import it: what is there already is not made again.

    Raises ApiError, CommandError, Unauthorised, Gone.
    """
    await caller.write(rows.check_import, caller.user_id)
    body = Body(exchange.receive, asyncio.get_running_loop())
    with ExitStack() as stack:
        form = spooled(exchange.fields.get("content-type", ""), body, settings.HERMES_MAX_IMPORT)
        try:
            upload, file = await asyncio.to_thread(stack.enter_context, form)
            shape = await _begin(caller, upload, file)
        except (StoreFull, OSError) as error:
            if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            logger.error("an import could not be kept: the disk is full")
            raise ApiError(507, _FULL, kind="insufficient_quota", code="quota_exceeded", param="file") from None
    await answer_job(exchange, shape)


async def _begin(caller: Caller, upload: Upload, file: IO[bytes]) -> JobShape:
    """Keep the file, and have it imported. Raises CommandError, Unauthorised, StoreFull, OSError."""
    job = await caller.write(rows.reserve_import, caller.user_id, upload.digest)
    try:
        file.seek(0)
        key = store.key_of(caller.user_id, job.folder, upload.digest)
        await asyncio.to_thread(store.put, key, cast(BinaryIO, file))
        return await caller.write(rows.begin_import, caller.user_id, job.pk)
    except BaseException:
        await caller.write(rows.give_up, job.pk)
        raise
