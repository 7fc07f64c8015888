"""Answer with the bytes of a file, so that no browser takes it for a page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from sessions_app.files import store
from sessions_app.http_api.exchange import Exchange
from sessions_app.models import UserFile

RASTER = ("image/jpeg", "image/png")
"""What browsers may show in the place of a page: pictures that were decoded and written anew here."""

ASKING_SECONDS = 1.0
_POLICY = "default-src 'none'; sandbox"
_PIECE_BYTES = 64 * 1024
_QUERIES = {b"": False, b"thumbnail": True, b"thumbnail=": True}


async def send_file(
    exchange: Exchange, file: UserFile, headers: Mapping[str, str], holds: Callable[[], Awaitable[bool]] | None = None
) -> bool:
    """Answer with the bytes of a file, or with a small picture of it; False where there are none, and no answer yet.

    ``headers``: further ones, and those that take the place of others. ``await holds()`` is asked every few seconds of
    a long answer, which is broken off where it says no.
    """
    content, is_small = file.content, _QUERIES.get(exchange.scope["query_string"], False)
    if is_small and not content.thumbnail:
        return False
    digest = content.thumbnail if is_small else content.kept
    key = store.key_of(content.owner_id, content.folder, digest)
    try:
        source = await asyncio.to_thread(store.open_object, key)
    except FileNotFoundError:
        return False
    try:
        named = {**_headers(file, is_small=is_small), **headers}
        asked = time.monotonic()
        while piece := await asyncio.to_thread(source.read, _PIECE_BYTES):
            if holds is not None and time.monotonic() - asked > ASKING_SECONDS:
                if not await holds():
                    await exchange.break_off()
                    return True
                asked = time.monotonic()
            await exchange.stream(piece, named)
        await exchange.end_stream()
    finally:
        await asyncio.to_thread(source.close)
    return True


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
