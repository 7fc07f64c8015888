"""What a purge deletes, one transaction each, with its count in the run's row.

A chat goes whole, in the way that its user would delete it (``turn_store.deleting``): its open tabs are told, and
whatever is kept of it elsewhere goes with it or follows. An account goes in steps: its user may no longer act, then the
chats go one by one, then what is left in portions, and its row last. A process that is killed in between leaves the
request, which is begun, and the next run goes on with it.

Locks: the session, its user, the head of their journal; the run's row last, which nobody else waits for.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.db.models.functions import Now

from sessions_app.conversations import holds
from sessions_app.errors import NotFound
from sessions_app.models import (
    DeletionKind,
    DeletionRequest,
    Job,
    JobKind,
    JobState,
    JournalEntry,
    MessageClaim,
    Turn,
)
from sessions_app.purging import names, policies, requests, runs
from sessions_app.purging.runs import Run
from sessions_app.turn_store import deleting
from sessions_app.turn_store.deleting import Erased

_ROWS_AT_ONCE = 1_000
# What an account may have many rows of, without its chats.
_MANY: tuple[type[Model], ...] = (MessageClaim, JournalEntry)


def erase_due(run: Run, user_id: int, session_id: UUID) -> None:
    """Delete a chat by the policies, unless it is due no more, or a turn runs or waits in it. Raises ClaimLost."""
    erased = deleting.delete_idle(user_id, session_id, policies.is_due)
    if erased is not None:
        _note(run, erased)


def erase_asked(run: Run, user_id: int, session_id: UUID, silence: float) -> bool:
    """Delete a chat that its user has asked to delete; False while a turn of it runs, which is asked to stop.

    Raises ClaimLost, and Conflict where its user is under a legal hold.
    """
    try:
        done = deleting.delete(user_id, session_id, silence)
    except NotFound:
        return True
    if isinstance(done, Turn):
        return False
    _note(run, done)
    return True


def _note(run: Run, erased: Erased) -> None:
    runs.note(run, chats=1, messages=erased.messages, files=erased.files)


def begin(run: Run, request: DeletionRequest) -> bool:
    """Begin with what a user has asked for: from now on it is not taken back, and who leaves may no longer act.

    False where it was taken back, or has to wait: for the end of a legal hold, or for another administrator.
    Raises ClaimLost.
    """
    runs.note(run)
    users = get_user_model().objects
    # By id, as all who lock several users: of two administrators who leave at once, one finds that the other has left.
    administrators = users.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    there = set(administrators.values_list("pk", flat=True))
    row = DeletionRequest.objects.select_for_update().filter(pk=request.pk).first()
    if row is None or holds.is_held(row.owner_id):
        return False
    if row.kind == DeletionKind.ACCOUNT and row.begun_at is None:
        if there == {row.owner_id}:
            return False
        user = users.get(pk=row.owner_id)
        user.is_active = False
        user.save(update_fields=["is_active"])
    DeletionRequest.objects.filter(pk=row.pk, begun_at=None).update(begun_at=Now())
    return True


def end_chats(run: Run, request: DeletionRequest) -> None:
    """End the deletion of all chats, once they are gone: exports, which hold them, go too. Raises ClaimLost."""
    runs.note(run)
    if not requests.chats_of(request).exists():
        Job.objects.filter(owner_id=request.owner_id, kind=JobKind.EXPORT).update(state=JobState.REMOVED)
        DeletionRequest.objects.filter(pk=request.pk).delete()


def erase_some_rows(run: Run, request: DeletionRequest) -> bool:
    """Delete some of the rows that an account without chats has many of; False where none is left. Raises ClaimLost."""
    runs.note(run)
    for model in _MANY:
        rows = model._default_manager.filter(owner_id=request.owner_id)
        if some := list(rows.order_by("pk").values_list("pk", flat=True)[:_ROWS_AT_ONCE]):
            model._default_manager.filter(pk__in=some).delete()
            return True
    return False


def end_account(run: Run, request: DeletionRequest) -> None:
    """Delete the user's row with what is left of theirs, once the chats are gone. Raises ClaimLost, ProtectedError.

    Admin's log keeps what was done to the account, its chats and budgets, under its number.
    """
    user = get_user_model().objects.filter(pk=request.owner_id).first()
    if user is None or requests.chats_of(request).exists():
        runs.note(run)
        return
    Job.objects.filter(owner_id=user.pk).update(state=JobState.REMOVED)
    names.forget(user.pk, user.get_username())
    user.delete()
    runs.note(run, accounts=1)
