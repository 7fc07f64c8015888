"""Jobs: what a user has asked for that takes longer than a request."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class JobKind(models.TextChoices):
    """What a job does."""

    EXPORT = "export"
    IMPORT = "import"


class JobState(models.TextChoices):
    """Where a job stands; ``pending``: what it works on is still written; ``removed``: its objects go, then its row."""

    PENDING = "pending"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REMOVED = "removed"


class Job(models.Model):
    """A job, its progress (0 to 1), its report, and its objects: those of ``folder`` in the store of files.

    The row is there before the first object is written, and until the last one is gone; so it has no constraint to its
    user, whom it may outlive. ``claim`` is made afresh each time a process takes the job, and every write of the job is
    conditional on it; ``attempts`` counts them. ``heartbeat_at`` is by the database's clock. ``source`` names what the
    job works on, ``result`` what it has made, by their SHA-256, empty for nothing. The report has no word of what was
    said; while an import runs it has what was taken so far.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=6, choices=JobKind)
    state = models.CharField(max_length=7, choices=JobState, default=JobState.WAITING)
    claim = models.UUIDField(null=True, blank=True)
    process = models.CharField(max_length=64, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    progress = models.FloatField(default=0)
    report = models.JSONField(null=True, blank=True)

    folder = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=64, blank=True, default="", db_default="")
    result = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_known"),
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="job_kind_known"),
            models.UniqueConstraint(
                fields=["owner", "kind"],
                condition=Q(state__in=[JobState.WAITING, JobState.RUNNING]),
                name="one_job_of_a_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(state__in=[JobState.WAITING, JobState.RUNNING]), name="job_to_do"
            ),
            models.Index(fields=["owner"], name="job_by_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"
