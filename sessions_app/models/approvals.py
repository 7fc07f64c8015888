"""Calls of tools that a person must approve: what was asked, what they said, and what came of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.models.messages import Message
from sessions_app.models.sessions import ChatSession
from sessions_app.models.turns import Turn
from sessions_app.models.waiting import MAX_CALL_ID

MAX_TOOL_NAME = 200
"""Characters of a tool's full name."""

MAX_NOTE = 2_000
"""Characters of what a person says with a decision."""


class Decision(models.TextChoices):
    """What a person has said: that a call be made or not. ``waiting``: nothing yet."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


class CallState(models.TextChoices):
    """What came of an approved call: ``none`` yet, it was ``begun``, ``done``, never made, or nobody knows."""

    NONE = "none"
    BEGUN = "begun"
    DONE = "done"
    NOT_MADE = "not_made"
    UNKNOWN = "unknown"


class Approval(models.Model):
    """A call of the answer ``message`` that a person must approve. The row stays: it is the audit of the turn.

    ``turn`` is the run that ended to wait for it, ``resumed_by`` the one that went on with the decision, null where the
    user has said something else instead. ``arguments_digest`` is that of the arguments that the person was shown: other
    ones are not approved. ``always``: the person has approved later calls of the tool in this session as well.
    Whether it still waits is not told here alone, see ``WaitingCall``.
    """

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="approvals")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="approvals")
    message = models.ForeignKey(Message, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    tool_call_id = models.CharField(max_length=MAX_CALL_ID)
    tool = models.CharField(max_length=MAX_TOOL_NAME)
    arguments_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    decision = models.CharField(max_length=8, choices=Decision, default=Decision.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    note = models.TextField(blank=True)
    always = models.BooleanField(default=False)
    resumed_by = models.ForeignKey(
        Turn, on_delete=models.SET_NULL, null=True, blank=True, related_name="decided_approvals"
    )

    state = models.CharField(max_length=8, choices=CallState, default=CallState.NONE)
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=Decision.values), name="approval_decision_known"),
            models.CheckConstraint(condition=Q(state__in=CallState.values), name="approval_state_known"),
            # Nothing is run that nobody has approved.
            models.CheckConstraint(
                condition=Q(state=CallState.NONE) | Q(decision=Decision.APPROVED), name="approved_before_begun"
            ),
        ]
        # Those that wait, and those whose call is to be made: few, of all that stay.
        indexes = [
            models.Index(
                fields=["owner"],
                condition=Q(state=CallState.NONE) & ~Q(decision=Decision.REFUSED),
                name="approval_undone",
            )
        ]

    def __str__(self) -> str:
        return f"{self.tool} ({self.decision})"


class StandingApproval(models.Model):
    """A tool whose calls in one session its user has approved once and for all, as long as the tool is to be asked for.

    It goes with its session, and no copy of that has it.
    """

    id = models.BigAutoField(primary_key=True)
    chat_session = models.ForeignKey(
        ChatSession, on_delete=models.CASCADE, related_name="standing_approvals", db_index=False
    )
    tool = models.CharField(max_length=MAX_TOOL_NAME)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat_session", "tool"], name="one_standing_approval")]

    def __str__(self) -> str:
        return self.tool
