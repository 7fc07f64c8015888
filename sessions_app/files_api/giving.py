"""`GET` and `DELETE /api/files/ID`: give a file back, so that no browser takes it for a page, or remove it.

Someone else's file, one that is not there and an id that is none are answered exactly alike.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import IO
from urllib.parse import quote
from uuid import UUID

from sessions_app.api.auth import Caller
from sessions_app.errors import NotFound
from sessions_app.files import clearing, keeping, store
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.guarding import guarded
from sessions_app.models import UserFile

RASTER = ("image/jpeg", "image/png")
"""What browsers may show in the place of a page: pictures that were decoded and written anew here."""

_POLICY = "default-src 'none'; sandbox"
_PIECE_BYTES = 64 * 1024
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUERIES = {b"": False, b"thumbnail": True, b"thumbnail=": True}


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
    content, is_small = file.content, _QUERIES.get(exchange.scope["query_string"], False)
    if is_small and not content.thumbnail:
        raise _not_found()
    digest = content.thumbnail if is_small else content.kept
    key = store.key_of(content.owner_id, content.folder, digest)
    try:
        source = await asyncio.to_thread(store.open_object, key)
    except FileNotFoundError:
        raise _not_found() from None
    try:
        async with guarded(exchange, caller):
            await _send(exchange, source, _headers(file, is_small=is_small))
    finally:
        await asyncio.to_thread(source.close)


def _headers(file: UserFile, *, is_small: bool) -> dict[str, str]:
    media_type = "image/webp" if is_small else file.content.media_type
    is_text = media_type.startswith("text/")
    shown = "inline" if is_small or media_type in RASTER else "attachment"
    headers = {
        # As it came: in whatever encoding.
        "Content-Type": "application/octet-stream" if is_text else media_type,
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(file.name, safe='')}",
        "Content-Security-Policy": _POLICY,
        # What a file is never changes; another user of the same browser must not find it there.
        "Cache-Control": "private, max-age=86400, immutable",
        "Vary": "Cookie, Authorization",
    }
    return headers if is_small else {**headers, "Content-Length": str(file.content.size)}


async def _send(exchange: Exchange, source: IO[bytes], headers: Mapping[str, str]) -> None:
    while piece := await asyncio.to_thread(source.read, _PIECE_BYTES):
        await exchange.stream(piece, headers)
    await exchange.end_stream()


async def remove(exchange: Exchange, caller: Caller, file_id: str) -> None:
    """Remove a file that no message has. Raises ApiError, CommandError, Unauthorised."""
    file = await _find(caller, file_id)
    try:
        await caller.write(keeping.remove, caller.user_id, file.pk)
    except NotFound:
        raise _not_found() from None
    await clearing.tidy()
    await exchange.answer(b"", status=204)
