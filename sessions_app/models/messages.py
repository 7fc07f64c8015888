"""Messages: the rows of a transcript, and the ids that clients have claimed for them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.models.fields import VerbatimJSONField
from sessions_app.models.sessions import NAME_LENGTH, Branch, ChatSession
from sessions_app.models.turns import Turn


class MessageRole(models.TextChoices):
    """Who speaks in a message."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class MessageStatus(models.TextChoices):
    """How a message ended; what is not complete counts with the text it has."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class MessageKind(models.TextChoices):
    """What a message is, where it is not something that was said."""

    SAID = ""
    SUMMARY = "summary"
    NOTE = "note"


class Message(models.Model):
    """One row of a transcript.

    ``text`` is the authority on what the message says. ``parts`` is what a provider must get
    back verbatim besides (JSON, ``sessions_app.llm.content.codec`` has its form); it never overrules the
    text. ``owner`` repeats the session's owner, because public ids are unique per user. ``finish``
    says why a complete answer is not whole (``agents.finish.Finish``, empty where it is). ``kind`` repeats what the
    parts of a summary or a note say, so that a line's latest summary is found by an index. ``model`` is who said a
    message that was copied from another session; of others their turn knows it. ``line_digest`` is that of all that was
    said in its line up to and with this message (``conversations.line_digests``), by which a conversation is
    recognised; null where nobody knows.
    """

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="messages")
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE, related_name="messages", db_index=False)
    position = models.PositiveBigIntegerField()
    role = models.CharField(max_length=9, choices=MessageRole)
    text = models.TextField(blank=True)
    parts = VerbatimJSONField(null=True, blank=True)
    status = models.CharField(
        max_length=11,
        choices=MessageStatus,
        default=MessageStatus.COMPLETE,
        db_default=MessageStatus.COMPLETE,
    )
    finish = models.CharField(max_length=14, blank=True, db_default="")
    kind = models.CharField(max_length=7, choices=MessageKind, blank=True, default="", db_default="")
    # Null, so that SQLite adds the column without writing the whole table again.
    model = models.CharField(max_length=200, null=True, blank=True, editable=False)  # noqa: DJ001
    line_digest = models.CharField(max_length=32, null=True, blank=True, editable=False)  # noqa: DJ001
    turn = models.ForeignKey(Turn, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["branch", "position"], name="one_message_a_position"),
            models.UniqueConstraint(fields=["owner", "public_id"], name="message_id_per_user"),
            models.CheckConstraint(condition=Q(role__in=MessageRole.values), name="message_role_known"),
            models.CheckConstraint(condition=Q(status__in=MessageStatus.values), name="message_status_known"),
            models.CheckConstraint(condition=Q(kind__in=MessageKind.values), name="message_kind_known"),
        ]
        indexes = [
            models.Index(fields=["branch", "position"], condition=Q(kind="summary"), name="summary_by_position"),
            models.Index(fields=["branch", "position"], condition=Q(kind="note"), name="note_by_position"),
            models.Index(
                fields=["owner", "line_digest", "id"],
                condition=Q(line_digest__isnull=False),
                name="message_by_line_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} at {self.position}"


class MessageRating(models.Model):
    """What a user thinks of an answer: 1 or -1, with a comment.

    A table of its own, because it is no change of the transcript: the session's stamp must not move.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="rated")
    rating = models.SmallIntegerField()
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(rating__in=[1, -1]), name="rating_known")]

    def __str__(self) -> str:
        return str(self.rating)


class MessageClaim(models.Model):
    """A message id that a user's client has used: it stays taken for ever.

    ``digest`` is the SHA-256 of the text, so that a repeat of the same send is known even
    after the message was edited, withdrawn or deleted. One row per turn ever asked for; the
    rate limit counts them.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    message_id = models.UUIDField()
    chat_session_id = models.UUIDField()
    digest = models.CharField(max_length=64)
    run_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "message_id"], name="claim_per_user")]
        indexes = [models.Index(fields=["owner", "-created_at"], name="claim_by_recency")]

    def __str__(self) -> str:
        return str(self.message_id)


class MessageName(models.Model):
    """What a program calls a message of a session, where that is not its ``public_id``.

    No foreign key: the message may still wait for its turn.
    """

    id = models.BigAutoField(primary_key=True)
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH)
    message_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat_session", "name"], name="message_name_per_session")]

    def __str__(self) -> str:
        return str(self.message_id)
