"""What users have asked to be deleted: all their chats, or their account. Until it is due it can be taken back.

Until then nothing changes: the account is as it was, so that taking it back restores everything there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce, Now

from sessions_app.conversations import access, holds, storage
from sessions_app.errors import Conflict
from sessions_app.models import (
    ApiToken,
    ChatSession,
    DeletionKind,
    DeletionRequest,
    LegalHold,
    Memory,
    SessionStamp,
    UserFile,
)

WAITS = {DeletionKind.ACCOUNT: timedelta(days=14), DeletionKind.CHATS: timedelta(days=1)}
"""How long it can be taken back. It is carried out in the night after."""

LAST_ADMINISTRATOR = "You are the only administrator of this site. Make somebody else one first, in the administration."


@dataclass(frozen=True, slots=True)
class Asked:
    """How much goes by what users have asked for, and is due."""

    accounts: int
    chats: int
    messages: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What goes with an account, counted; ``file_bytes`` of all its files."""

    chats: int
    messages: int
    files: int
    file_bytes: int
    memories: int
    tokens: int


def holdings(user_id: int) -> Holdings:
    """Return what a user has."""
    stored = storage.stored(user_id)
    stamps = SessionStamp.objects.filter(owner=user_id).values_list("message_count", flat=True)
    return Holdings(
        chats=stored.sessions,
        messages=sum(stamps),
        files=UserFile.objects.filter(owner=user_id).count(),
        file_bytes=stored.file_bytes,
        memories=Memory.objects.filter(owner=user_id).count(),
        tokens=ApiToken.valid().filter(owner=user_id).count(),
    )


def of_user(user_id: int) -> dict[str, DeletionRequest]:
    """Return what a user has asked for, by kind."""
    return {request.kind: request for request in DeletionRequest.objects.filter(owner=user_id)}


def ask(user_id: int, kind: DeletionKind) -> None:
    """Have a user's chats or account deleted when it is time; again changes nothing. Raises Conflict, NotFound."""
    access.require_user(user_id)
    holds.check(user_id)
    if kind == DeletionKind.ACCOUNT and is_last_administrator(user_id):
        raise Conflict(LAST_ADMINISTRATOR)
    # The user's lock is held: nobody else asks at the same time.
    if not DeletionRequest.objects.filter(owner=user_id, kind=kind).exists():
        DeletionRequest.objects.create(owner_id=user_id, kind=kind, due_at=Now() + WAITS[kind])


def take_back(user_id: int, kind: DeletionKind) -> bool:
    """Have nothing deleted after all; False where that has begun, or was never asked for."""
    return bool(DeletionRequest.objects.filter(owner=user_id, kind=kind, begun_at=None).delete()[0])


def is_last_administrator(user_id: int) -> bool:
    """Tell whether nobody else could administer the site: others who wait for their deletion do not count."""
    administrators = get_user_model().objects.filter(is_superuser=True, is_active=True)
    leaving = Exists(DeletionRequest.objects.filter(owner=OuterRef("pk"), kind=DeletionKind.ACCOUNT))
    return (
        administrators.filter(pk=user_id).exists() and not administrators.filter(~leaving).exclude(pk=user_id).exists()
    )


def due() -> list[DeletionRequest]:
    """Return what is to be carried out now, the oldest first; not of users under a legal hold."""
    held = Exists(LegalHold.objects.filter(owner=OuterRef("owner")))
    return list(DeletionRequest.objects.filter(~held, due_at__lte=Now()).order_by("due_at", "id"))


def asked() -> Asked:
    """Return how much is to be deleted now because its users have asked."""
    requests = due()
    accounts = {request.owner_id for request in requests if request.kind == DeletionKind.ACCOUNT}
    # Who deletes the account deletes its chats anyway.
    going = [each for each in requests if each.kind == DeletionKind.ACCOUNT or each.owner_id not in accounts]
    stamps = [SessionStamp.objects.filter(chat_session__in=chats_of(request).values("pk")) for request in going]
    counts = [count for rows in stamps for count in rows.values_list("message_count", flat=True)]
    return Asked(len(accounts), len(counts), sum(counts))


def chats_of(request: DeletionRequest) -> QuerySet[ChatSession]:
    """Return the chats that go: all of an account, else those that were there when it was asked for."""
    rows = ChatSession.objects.filter(owner=request.owner_id)
    if request.kind == DeletionKind.ACCOUNT:
        return rows
    return rows.annotate(arrived=Coalesce(F("imported_at"), F("created_at"))).filter(
        arrived__lte=request.asked_at, temporary=False
    )


def some_chats_of(request: DeletionRequest, limit: int) -> list[UUID]:
    """Return some of them, by id."""
    return list(chats_of(request).order_by("pk").values_list("pk", flat=True)[:limit])
