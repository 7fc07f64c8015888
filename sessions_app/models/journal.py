"""The journal: what has become true of each user's sessions, in order."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class FactName(models.TextChoices):
    """The kinds of facts, by the names that clients know them by."""

    SESSION_CREATED = "session.created"
    SESSION_UPDATED = "session.updated"
    SESSION_DELETED = "session.deleted"
    MESSAGE_CREATED = "message.created"
    MESSAGE_UPDATED = "message.updated"
    TURN_QUEUED = "turn.queued"
    TURN_WITHDRAWN = "turn.withdrawn"
    TURN_BEGAN = "turn.began"
    TURN_ENDED = "turn.ended"
    BRANCH_SELECTED = "branch.selected"
    TRANSCRIPT_CHANGED = "transcript.changed"
    MEMORY_UPDATED = "memory.updated"
    APPROVAL_WAITING = "approval.waiting"
    APPROVAL_DECIDED = "approval.decided"


class JournalHead(models.Model):
    """The cursor of a user's newest fact. Its row is the lock under which cursors are given out."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, primary_key=True, related_name="+", db_constraint=False
    )
    cursor = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"up to {self.cursor}"


class JournalEntry(models.Model):
    """One fact: which session it is about, and which of its messages or turns.

    It holds ids and never a word of what was said: what it tells is read from the rows when it is sent, so that a
    deletion leaves nothing behind. ``cursor`` is its place among the owner's facts: from 1, without gaps. ``subject``
    is a message's or an approval's public id or a turn's run id, null where the fact is about the session itself.
    ``session_id`` is null where it is about none: about the user's memory.
    """

    # No constraint: facts come while their user is being deleted, and go with the user by a trigger.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    cursor = models.PositiveBigIntegerField()
    name = models.CharField(max_length=20)
    session_id = models.UUIDField(null=True)
    subject = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "cursor"], name="one_fact_a_cursor")]
        indexes = [models.Index(fields=["created_at"], name="fact_by_age")]

    def __str__(self) -> str:
        return f"{self.cursor}: {self.name}"
