"""Sessions, their branches, and the stamp that the database keeps of each."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from sessions_app.models.fields import VerbatimJSONField
from sessions_app.models.profiles import AgentProfile

TITLE_LENGTH = 200
NAME_LENGTH = 200
"""Characters of a name that a program gives to a session."""


class TitleSource(models.TextChoices):
    """Who has named a session: nobody (it is called by the first words), a model, or a person."""

    WORDS = ""
    MODEL = "model"
    PERSON = "person"


class ChatSession(models.Model):
    """One conversation of one user.

    ``frozen_prefix`` is the canonical JSON of system prompt and tool definitions that every
    request of this session begins with. ``active_branch`` is the line of the conversation
    that is shown and sent; changing it, or the prefix, raises the revision of the stamp.
    ``last_request`` is what the latest request to a provider was (``agents.cache_ledger.requests.RequestRecord``, as
    JSON), and ``applied_prefix`` the digest of a prefix that somebody put in the place of the
    first one: the ledger explains misses of the provider's cache by them, nothing else does.
    ``client_prompt`` is the digest of the system prompt that a program has brought with it, empty where it is the
    profile's own; ``client_tools`` that of the tools it has brought (``llm.tools.client_tools``), empty for none.
    ``profile`` is null where that was removed: then the session is read, and answered by nobody until it has another.
    ``asks_approval``: a tool's call has waited here for a person at some time; only then is it asked whether one does.
    ``memory`` says whether the user's memory is told here. ``metadata`` is what a program has put to it, null for none.
    A ``temporary`` session is deleted when its answer is out. ``imported_at`` is when its user brought it here, with
    the times that it had elsewhere; null where it began here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_sessions")
    profile = models.ForeignKey(
        AgentProfile, on_delete=models.SET_NULL, null=True, blank=True, related_name="chat_sessions"
    )
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    title_by = models.CharField(max_length=6, choices=TitleSource, blank=True, db_default="", editable=False)
    frozen_prefix = models.TextField(editable=False)
    client_prompt = models.CharField(max_length=32, blank=True, db_default="", editable=False)
    client_tools = models.CharField(max_length=32, blank=True, db_default="", editable=False)
    # The two tables name each other; foreign keys are checked at commit, so a session and its
    # branches are made, and deleted, in one transaction.
    active_branch = models.ForeignKey("Branch", on_delete=models.DO_NOTHING, related_name="+", editable=False)
    last_request = models.TextField(blank=True, db_default="", editable=False)
    applied_prefix = models.CharField(max_length=32, blank=True, db_default="", editable=False)
    archived = models.BooleanField(default=False, db_default=False)
    pinned = models.BooleanField(default=False, db_default=False)
    memory = models.BooleanField(default=True, db_default=True)
    metadata = VerbatimJSONField(null=True, blank=True, editable=False)
    temporary = models.BooleanField(default=False, db_default=False, editable=False)
    asks_approval = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    imported_at = models.DateTimeField(null=True, blank=True, editable=False)

    stamp: SessionStamp

    class Meta:
        indexes = [
            models.Index(fields=["owner", "archived", "-updated_at", "-id"], name="session_by_activity"),
            models.Index(fields=["-updated_at", "-id"], name="session_by_recency"),
            models.Index(fields=["owner"], condition=models.Q(temporary=True), name="session_temporary"),
        ]

    def __str__(self) -> str:
        return str(self.id)  # not the title: this stands in logs and on pages, and the title says what was said


class SessionName(models.Model):
    """What a program of the user calls a session. It is never given to another one while the session is there."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=NAME_LENGTH)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="session_name_per_user")]

    def __str__(self) -> str:
        return str(self.chat_session_id)


class Branch(models.Model):
    """One line of a conversation, from ``fork_position`` on; before it, the parent's line holds.

    The message at ``fork_position`` stands in the place of the parent's message there. A fork
    at the very position where its branch itself begins belongs to that branch's parent, so
    fork positions rise strictly along a chain of parents.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="branches")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="children", db_index=False
    )
    fork_position = models.PositiveBigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "branches"
        indexes = [models.Index(fields=["parent", "fork_position"], name="branch_by_fork")]

    def __str__(self) -> str:
        return f"{self.id} from {self.fork_position}"


class KeptByTriggers(models.Model):
    """Rows that triggers of the database write, and nothing else (``database/sql``)."""

    class Meta:
        abstract = True

    def _save_table(self, raw: bool = False, *args: Any, **kwargs: Any) -> bool:
        """Write nothing: triggers make and keep these rows, also while a fixture is loaded.

        Raises TypeError except for ``loaddata`` (``raw``), whose rows of other tables the
        triggers have counted; it calls ``Model.save_base`` past any override of that.
        """
        if not raw:
            raise TypeError("These rows are kept by the database; a model never saves one.")
        return True


class SessionStamp(KeptByTriggers):
    """The stamp of a session's transcript, and how much it stores.

    A table of its own, so that no stale ``ChatSession.save()`` can write an old value back.
    ``revision`` rises with every change of the transcript and never falls. ``recount`` is the
    triggers' own note (SQLite) that ``message_count`` and ``characters`` must be counted anew.
    ``characters`` is the size of the session's messages, texts and parts; ``owner`` repeats the
    session's, so that ``StorageCount`` can be kept by the stamps alone. ``told_revision`` is the revision last told to
    clients: our own writes move it, and where it is behind, another program has written (``journal.foreign``).
    ``branch_revision`` is the revision with which the present branch became the active one.
    """

    chat_session = models.OneToOneField(
        ChatSession, on_delete=models.DO_NOTHING, primary_key=True, related_name="stamp"
    )
    message_count = models.PositiveBigIntegerField(db_default=0)
    revision = models.PositiveBigIntegerField(db_default=0)
    told_revision = models.PositiveBigIntegerField(db_default=0)
    branch_revision = models.PositiveBigIntegerField(db_default=0)
    recount = models.BooleanField(db_default=False)
    characters = models.BigIntegerField(db_default=0)
    # Null only between the migration that added it and the triggers, which fill it in.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
    )

    class Meta:
        indexes = [
            models.Index(fields=["recount"], condition=models.Q(recount=True), name="stamp_recount"),
            models.Index(
                fields=["chat_session"], condition=models.Q(told_revision__lt=models.F("revision")), name="stamp_untold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_count} messages, revision {self.revision}"


class StorageCount(KeptByTriggers):
    """What a user stores: the *sum* of their rows (``sessions_app.conversations.storage``).

    One row a user on SQLite, several on PostgreSQL, where each change adds one. ``characters`` are those of the
    sessions' messages, and of the texts of turns that wait or were withdrawn; ``file_bytes`` are those of files, with
    all that was made of them. A row may be negative, the sum is not.
    """

    # No constraint: rows come while their user is being deleted, and go with the user by a trigger.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    sessions = models.BigIntegerField()
    characters = models.BigIntegerField()
    file_bytes = models.BigIntegerField(db_default=0)

    def __str__(self) -> str:
        return f"{self.sessions} sessions, {self.characters} characters"
