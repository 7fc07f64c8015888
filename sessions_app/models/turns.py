"""Turns: one user message and all that it causes."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.models.fields import VerbatimJSONField
from sessions_app.models.profiles import AgentProfile
from sessions_app.models.sessions import Branch, ChatSession


class TurnStatus(models.TextChoices):
    """Where a turn stands; ``queued`` and ``running`` are alive, the others final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    WITHDRAWN = "withdrawn"


class TurnKind(models.TextChoices):
    """What a turn begins with: a message at the end of the line, one in the place of another, or none of its own.

    A ``resumption`` goes on with an answer whose calls have waited for results from outside: it begins with these, and
    its ``message_id`` is that of the user's message which is still being answered.
    A ``compaction`` brings no answer but a summary of the line, and answers no message: its ``message_id`` is nobody's.
    A ``title`` and a ``refresh`` are no turns of the conversation: they are the request that made the session's title,
    and one that has kept its prompt warm, for the ledger alone, and are stored when they have ended.
    """

    MESSAGE = "message"
    EDIT = "edit"
    REGENERATION = "regeneration"
    RESUMPTION = "resumption"
    COMPACTION = "compaction"
    TITLE = "title"
    REFRESH = "refresh"


BESIDE = (TurnKind.TITLE, TurnKind.REFRESH)
"""The kinds that are no turns of the conversation."""


class Turn(models.Model):
    """One turn: asked for, queued, run by the process that holds ``claim``, ended.

    ``run_id`` is AG-UI's. ``claim`` is made afresh each time a process takes the turn, and
    every write of the turn is conditional on it. ``heartbeat_at`` is by the database's clock.
    ``checkpoint`` is the text so far of the message ``answer_id``, at most a second old while the turn runs: what
    the run events up to ``checkpoint_seq`` say. ``begun_calls`` is the answer whose calls are being made, where
    they may change something (``conversations.lost_calls``), null at all other times. ``last_seq`` numbers the run
    event that told the end (null: the process died), so that any process can tell it. Token counts follow AG-UI:
    the two totals, and named parts of them. ``message_id`` is the user's message that it answers, ``parts`` are
    what that has
    beside the turn's ``text``: its files. ``sampling`` is what a client wants of this
    turn's requests alone (``llm.sampling``), null where it wants nothing. ``request`` is what else a request for one of
    OpenAI's responses has said, to be told with it, null for any other turn; ``request_digest`` is that of the whole
    request, by which it is known when it is sent again. ``held`` is what it holds of budgets while it is alive
    (``budgets.holding``), null for nothing. ``uncounted_tokens`` and ``uncounted_cost`` (US dollars) are what its
    budgets were charged for requests that were broken off before their provider had counted them, by an estimate.
    """

    id = models.BigAutoField(primary_key=True)
    run_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="turns", db_index=False)
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="turns")
    kind = models.CharField(max_length=12, choices=TurnKind, default=TurnKind.MESSAGE, db_default=TurnKind.MESSAGE)
    # Whose model answers, where that is not the session's profile: null where it was not named, or was removed.
    names_profile = models.BooleanField(default=False, db_default=False, editable=False)
    profile = models.ForeignKey(AgentProfile, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # The branch that a regeneration has left: shown again where it brings no word.
    left_branch = models.ForeignKey(Branch, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    message_id = models.UUIDField()
    text = models.TextField(blank=True)
    parts = VerbatimJSONField(null=True, blank=True, editable=False)
    sampling = VerbatimJSONField(null=True, blank=True, editable=False)
    request = VerbatimJSONField(null=True, blank=True, editable=False)
    request_digest = models.CharField(max_length=32, null=True, blank=True, editable=False)  # noqa: DJ001
    status = models.CharField(max_length=11, choices=TurnStatus, default=TurnStatus.QUEUED)

    claim = models.UUIDField(null=True, blank=True)
    process = models.CharField(max_length=64, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    stop_requested = models.BooleanField(default=False)
    answer_id = models.UUIDField(default=uuid.uuid4)
    checkpoint = models.TextField(blank=True)
    begun_calls = VerbatimJSONField(null=True, blank=True, editable=False)
    checkpoint_seq = models.PositiveBigIntegerField(default=0, db_default=0)

    guard_agent = models.CharField(max_length=10, blank=True)
    guard_transcript = models.CharField(max_length=10, blank=True)
    guard_reason = models.CharField(max_length=100, blank=True)

    provider = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=200, blank=True)
    input_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)

    prefix_digest = models.CharField(max_length=32, blank=True, db_default="")
    expected_tokens = models.PositiveBigIntegerField(default=0, db_default=0)
    miss = models.CharField(max_length=20, blank=True, db_default="")
    # The provider's own reason for a miss.
    told_miss = models.CharField(max_length=40, blank=True, db_default="")
    # For how many seconds the provider was to keep the conversation; null where it left no choice.
    retention = models.PositiveIntegerField(null=True, blank=True)
    retention_reason = models.CharField(max_length=120, blank=True, db_default="")
    cost = models.DecimalField(max_digits=16, decimal_places=9, null=True, blank=True)
    saved = models.DecimalField(max_digits=16, decimal_places=9, null=True, blank=True)

    held = VerbatimJSONField(null=True, blank=True, editable=False)
    uncounted_tokens = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    uncounted_cost = models.DecimalField(max_digits=16, decimal_places=9, default=0, db_default=0, editable=False)

    error_code = models.CharField(max_length=20, blank=True)
    error_text = models.TextField(blank=True)
    last_seq = models.PositiveBigIntegerField(null=True, blank=True)

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chat_session"],
                condition=Q(status=TurnStatus.RUNNING),
                name="one_running_turn",
            ),
            models.CheckConstraint(condition=Q(status__in=TurnStatus.values), name="turn_status_known"),
            models.CheckConstraint(condition=Q(kind__in=TurnKind.values), name="turn_kind_known"),
            models.CheckConstraint(
                condition=~Q(status=TurnStatus.RUNNING) | Q(claim__isnull=False, heartbeat_at__isnull=False),
                name="running_turn_is_claimed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["chat_session", "id"],
                condition=Q(status=TurnStatus.QUEUED),
                name="turn_queue",
            ),
            models.Index(
                fields=["heartbeat_at"],
                condition=Q(status=TurnStatus.RUNNING),
                name="turn_heartbeat",
            ),
            models.Index(fields=["ended_at"], name="turn_by_end"),
            models.Index(fields=["owner", "-created_at"], name="turn_by_owner"),
            models.Index(fields=["-created_at"], name="turn_by_recency"),
            models.Index(
                fields=["owner", "request_digest"],
                condition=Q(request_digest__isnull=False),
                name="turn_by_request",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} ({self.status})"
