"""`POST /api/files/`: take one file of a user, streamed from the connection to the disk."""

from __future__ import annotations

import asyncio
import errno
import logging
from contextlib import ExitStack

from django.conf import settings

from sessions_app.api.auth import Caller
from sessions_app.conversations.file_schemas import FileShape
from sessions_app.conversations.storage import megabytes
from sessions_app.errors import TooMany
from sessions_app.extraction.results import Unreadable
from sessions_app.files import adding, keeping
from sessions_app.files.store import StoreFull
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.forms import spooled
from sessions_app.http_api.pieces import Body

logger = logging.getLogger(__name__)

_FULL = "The disk of this site is full. The file was not kept; everything else is as it was."


async def take(exchange: Exchange, caller: Caller) -> None:
    """Answer with the file as it is kept. Raises ApiError, CommandError, Unauthorised, Gone."""
    await _check(caller)
    largest: int = settings.HERMES_MAX_FILE
    body = Body(exchange.receive, asyncio.get_running_loop())
    with ExitStack() as stack:
        form = spooled(exchange.fields.get("content-type", ""), body, largest)
        try:
            upload, file = await asyncio.to_thread(stack.enter_context, form)
            shape = await adding.add(caller.user_id, upload, file, caller)
        except Unreadable as unreadable:
            raise ApiError(415, unreadable.text, code="unreadable_file", param="file") from None
        except TooMany as refused:
            raise _no_room(refused.text) from None
        except (StoreFull, OSError) as error:
            if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            logger.error("a file could not be kept: the disk is full")
            raise _no_room(_FULL) from None
    await _answer(exchange, shape)


async def _check(caller: Caller) -> None:
    """Refuse at once what is not allowed, and what there can be no room for."""
    if not await caller.read(keeping.room_left, caller.user_id):
        quota = megabytes(settings.HERMES_FILE_QUOTA)
        raise _no_room(f"Your files take all of the {quota} MB that you may keep. Delete chats with files.")


def _no_room(text: str) -> ApiError:
    return ApiError(507, text, kind="insufficient_quota", code="quota_exceeded", param="file")


async def _answer(exchange: Exchange, shape: FileShape) -> None:
    await exchange.answer(shape.model_dump_json().encode(), status=201, headers={"Location": shape.url})
