"""Calls of tools that wait for somebody outside of the host: the turn that made them has ended, and another goes on."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.models.messages import Message
from sessions_app.models.sessions import ChatSession

MAX_CALL_ID = 500
"""Characters of a call's id, which its provider makes."""


class WaitingKind(models.TextChoices):
    """Whom a call waits for: the ``client`` that has brought its tool, and runs it, or a person's ``approval``."""

    CLIENT = "client"
    APPROVAL = "approval"


class WaitingCall(models.Model):
    """A call of the answer ``message`` that waits: from the transaction that stores it to the one that goes on.

    A row is not the whole truth: the answer must still be the end of its session's line, which other programs may
    change (``conversations.waiting_calls``). For that reason it does not hold on to its message either.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="waiting_calls")
    message = models.ForeignKey(Message, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    tool_call_id = models.CharField(max_length=MAX_CALL_ID)
    kind = models.CharField(max_length=8, choices=WaitingKind)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=WaitingKind.values), name="waiting_kind_known")]
        indexes = [models.Index(fields=["owner", "tool_call_id"], name="waiting_by_call")]

    def __str__(self) -> str:
        return self.tool_call_id
