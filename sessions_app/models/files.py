"""Files that users have added: what they hold, kept once for each user, and which message has which of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.models.messages import Message
from sessions_app.models.turns import Turn

NAME_LENGTH = 255
"""Characters of a file's name."""


class ContentState(models.TextChoices):
    """Where a content stands: its objects are being written, are all there, or are to be removed."""

    PENDING = "pending"
    READY = "ready"
    REMOVED = "removed"


class FileContent(models.Model):
    """What a file holds, and what was made of it: the objects of ``folder`` in the store of files.

    The row is there before the first object is written, and until the last one is gone, so that no object is ever
    without one. ``owner`` has no constraint for that: the row outlives its user. An object is named by the SHA-256 of
    its bytes. ``digest`` is that of what was uploaded, ``kept`` names what is given back, ``thumbnail`` a small picture
    (empty for none), ``images`` those that a model is sent, all of ``image_type``. ``text`` is what a model is sent of
    a document, ``text_digest`` its SHA-256. ``stored_size`` is the bytes of all of it, for the quota; a trigger counts
    them. ``notice`` says what of the file no model is sent.
    """

    id = models.BigAutoField(primary_key=True)
    folder = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    state = models.CharField(max_length=7, choices=ContentState, default=ContentState.PENDING)
    digest = models.CharField(max_length=64)
    stored_size = models.BigIntegerField()

    kept = models.CharField(max_length=64)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    suffix = models.CharField(max_length=20, blank=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    pages = models.PositiveIntegerField(null=True)
    thumbnail = models.CharField(max_length=64, blank=True)
    images = models.JSONField(default=list)
    image_type = models.CharField(max_length=20, blank=True)
    text = models.TextField(blank=True)
    text_digest = models.CharField(max_length=64, blank=True)
    text_characters = models.PositiveIntegerField(default=0)
    notice = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "digest"], condition=Q(state=ContentState.READY), name="one_content_a_digest"
            ),
            models.CheckConstraint(condition=Q(state__in=ContentState.values), name="content_state_known"),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=~Q(state=ContentState.READY), name="content_to_clear"),
            models.Index(fields=["owner"], name="content_by_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.folder} ({self.state})"


class UserFile(models.Model):
    """A file as its user knows it: a name, and what it holds.

    ``attached`` once a message, or a turn that waits, has had it: then it goes with the last that has it. One that
    was never sent goes after a while.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content = models.ForeignKey(FileContent, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=NAME_LENGTH)
    attached = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return str(self.id)  # not the name: this stands in logs


class MessageFile(models.Model):
    """A message has a file. Which and in what order its parts say; this keeps the file."""

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="file_uses")
    file = models.ForeignKey(UserFile, on_delete=models.CASCADE, related_name="message_uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "file"], name="one_file_a_message")]

    def __str__(self) -> str:
        return str(self.file_id)


class TurnFile(models.Model):
    """A turn that waits, or was withdrawn, has a file. Which and in what order its parts say."""

    id = models.BigAutoField(primary_key=True)
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="file_uses")
    file = models.ForeignKey(UserFile, on_delete=models.CASCADE, related_name="turn_uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "file"], name="one_file_a_turn")]

    def __str__(self) -> str:
        return str(self.file_id)
