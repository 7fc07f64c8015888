"""What a user wants to be known in all their chats, and their word on what a model has proposed for it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from sessions_app.models.messages import Message


class UserMemory(models.Model):
    """A user's memory as a whole: made with its first change, and kept until the account is deleted.

    ``digest`` is that of the memories which are told to models (``llm.content.memory``): empty where there are none,
    and where memory is switched off. It is written in the transaction that changes them, so that the start of a turn
    compares one value, however many there are.
    """

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    enabled = models.BooleanField(default=True, db_default=True)
    digest = models.CharField(max_length=32, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return f"memory of user {self.owner_id}"


class Memory(models.Model):
    """One thing to be remembered: a line of text. They are told in the order in which they were added."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["owner", "id"], name="memory_by_owner")]

    def __str__(self) -> str:
        return str(self.public_id)  # not the text: this stands in logs


class MemoryDecision(models.Model):
    """A user's word on a memory that a model has proposed: once, for the tool's result that says so."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="decided")
    saved = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return "saved" if self.saved else "refused"
