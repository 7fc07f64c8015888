"""Entries in admin's log about sessions: who read a transcript, who deleted one.

They name the session by its id. Django's own entries would keep its title, which is made of
what was said, after the session is gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpRequest

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.models import ChatSession

READ = 4
"""Beside Django's ADDITION, CHANGE and DELETION (1 to 3): nothing was changed."""


@transaction.atomic
def note(request: HttpRequest, sessions: Iterable[ChatSession], action_flag: int, message: str = "") -> list[LogEntry]:
    """Write down what the user of the request has done with each session."""
    noted = list(sessions)
    if action_flag == READ:
        for chat_session in noted:
            obj = Object(ObjectKind.SESSION, chat_session.pk)
            audit.record(Action.TRANSCRIPT_READ, obj, user=chat_session.owner_id)
    content_type = ContentType.objects.get_for_model(ChatSession)
    return LogEntry.objects.bulk_create(
        LogEntry(
            user_id=request.user.pk,  # type: ignore[misc]  # admin's views let nobody in without one
            content_type=content_type,
            object_id=str(chat_session.pk),
            object_repr=f"{chat_session.pk} of {chat_session.owner}",
            action_flag=action_flag,
            change_message=message,
        )
        for chat_session in noted
    )


@transaction.atomic
def note_search(request: HttpRequest) -> None:
    """Write down that the user of the request has looked for something in what was said; for what is not kept."""
    audit.record(Action.TRANSCRIPTS_SEARCHED, Object(ObjectKind.SESSION))
    LogEntry.objects.create(
        user_id=request.user.pk,  # type: ignore[misc]  # as above
        content_type=ContentType.objects.get_for_model(ChatSession),
        object_repr="chat sessions",
        action_flag=READ,
        change_message="Searched in what was said.",
    )
