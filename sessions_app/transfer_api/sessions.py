"""`GET /api/sessions/ID/export`: one chat, as JSON or Markdown."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, quote
from uuid import UUID

from sessions_app.api.auth import Caller
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.conversations.file_schemas import FileShape
from sessions_app.errors import NotFound
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.guarding import guarded
from sessions_app.transfer import markdown, rows, session_json
from sessions_app.transfer.rows import Exported
from sessions_app.transfer.session_json import Link

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_FORMATS = {
    "json": ("application/json", "json", session_json.pieces),
    "markdown": ("text/markdown; charset=utf-8", "md", markdown.pieces),
}
QUERY = {"format": "`json`: all of it, every branch; `markdown`: what is shown, for people."}


def not_found() -> ApiError:
    """Return the answer to a chat that is not there, or is somebody else's."""
    return ApiError(404, "There is no such chat.", code="not_found")


async def export(exchange: Exchange, caller: Caller, session_id: str) -> None:
    """Give a chat as a file, with its files as links. Raises ApiError, Unauthorised."""
    if not _ID.fullmatch(session_id):
        raise not_found()
    try:
        exported = await caller.read(rows.head, caller.user_id, UUID(session_id))
    except NotFound:
        raise not_found() from None
    query = parse_qs(exchange.scope["query_string"].decode("latin1"))
    [wanted] = query.get("format", ["json"])[-1:]
    if wanted not in _FORMATS:
        raise ApiError(400, "The format must be json or markdown.", param="format")
    media_type, suffix, pieces = _FORMATS[wanted]
    chat = Object(ObjectKind.SESSION, UUID(session_id))
    await caller.record(Action.SESSION_EXPORTED, chat, user=caller.user_id, format=wanted)
    file, headers = pieces(caller, caller.user_id, exported, _linked(exchange)), _headers(exported, media_type, suffix)
    async with guarded(exchange, caller):
        await _send(exchange, file, headers)


def _headers(exported: Exported, media_type: str, suffix: str) -> dict[str, str]:
    name = f"{markdown.name_of(exported.head.title)}.{suffix}"
    return {
        "Content-Type": media_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }


async def _send(exchange: Exchange, pieces: AsyncIterator[bytes], headers: dict[str, str]) -> None:
    async for piece in pieces:
        if piece:
            await exchange.stream(piece, headers)
    await exchange.end_stream()


def _linked(exchange: Exchange) -> Link:
    """Return what says where a file is: whole addresses, as the chat is asked for."""
    host = exchange.fields.get("host", "")
    origin = f"{exchange.scope.get('scheme', 'http')}://{host}" if _HOST.fullmatch(host) else ""

    def link(shape: FileShape) -> str:
        return origin + shape.url

    return link
