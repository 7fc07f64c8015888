"""Read what an export of an account has beside its chats: the account itself, its files, the ledger."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from sessions_app.conversations import memory
from sessions_app.database import Door
from sessions_app.models import ChatSession, ContentState, Share, Turn, UserFile
from sessions_app.session_store import instructions
from sessions_app.sharing import links
from sessions_app.transfer.contents import seal_content
from sessions_app.transfer.shapes import ACCOUNT_FORMAT, VERSION, KeptFileRecord

_TURNS_AT_ONCE = 500
LEDGER = (
    *("run_id", "chat_session_id", "kind", "status", "created_at", "started_at", "ended_at", "provider", "model"),
    *("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "expected_tokens"),
    *("miss", "cost", "saved", "error_code"),
)
"""The columns of a turn that the ledger has."""


def session_ids(user_id: int) -> list[UUID]:
    """Return the ids of a user's chats, oldest first."""
    rows = ChatSession.objects.filter(owner_id=user_id, temporary=False)
    return list(rows.order_by("created_at", "pk").values_list("pk", flat=True))


def file_ids(user_id: int) -> list[UUID]:
    """Return the ids of a user's files, oldest first."""
    rows = UserFile.objects.filter(owner_id=user_id, content__state=ContentState.READY)
    return list(rows.order_by("created_at", "pk").values_list("pk", flat=True))


def file(user_id: int, file_id: UUID) -> UserFile | None:
    """Return a file with its content; None where it is gone."""
    rows = UserFile.objects.select_related("content")
    return rows.filter(owner_id=user_id, pk=file_id, content__state=ContentState.READY).first()


def file_record(file: UserFile, path: str) -> KeptFileRecord:
    """Return what is said of a file, whose bytes are at a path of the archive."""
    content = file.content
    return KeptFileRecord(
        id=file.pk,
        name=file.name,
        media_type=content.media_type,
        size=content.size,
        url=path,
        digest=content.kept,
        created_at=file.created_at,
        sealed=seal_content(content),
    )


def account(user_id: int) -> dict[str, Any]:
    """Return what there is of an account, with instructions, memory and links, and what the archive is."""
    user = get_user_model().objects.get(pk=user_id)
    return {
        "format": ACCOUNT_FORMAT,
        "version": VERSION,
        "exported_at": datetime.now(UTC).isoformat(),
        "username": user.get_username(),
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "date_joined": user.date_joined.isoformat(),
        "instructions": instructions.read(user_id),
        "memory": memory.memories_shape(user_id).model_dump(mode="json"),
        "shares": [_share(share) for share in links.of_user(user_id)],
    }


def _share(share: Share) -> dict[str, Any]:
    """Return a link without its address: who has the archive must not have the links."""
    return {
        "id": str(share.pk),
        "session": str(share.chat_session_id),
        "until": str(share.until),
        "title": share.title,
        "audience": share.audience,
        "created_at": share.created_at.isoformat(),
        "expires_at": share.expires_at and share.expires_at.isoformat(),
    }


async def ledger(door: Door, user_id: int) -> AsyncIterator[bytes]:
    """Yield the ledger: a line for each turn, oldest first."""
    yield _lines([LEDGER])
    last = 0
    while some := await door.read(_turns, user_id, last):
        yield _lines([row[1:] for row in some])
        last = some[-1][0]


def _turns(user_id: int, after: int) -> list[tuple[Any, ...]]:
    rows = Turn.objects.filter(owner_id=user_id, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", *LEDGER)[:_TURNS_AT_ONCE])


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([_plain(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
