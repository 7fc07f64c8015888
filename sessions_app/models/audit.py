"""The audit: who did what, to what, from where and when. Rows are only ever added; the database refuses all else."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now

NO_DIGEST = "0" * 64
"""The digest before the first row. (``database.triggers`` begins the chain with it.)"""


class ActorKind(models.TextChoices):
    """Who did it: somebody with an account, somebody who had not logged in, or a program of the site's operator."""

    USER = "user"
    VISITOR = "visitor"
    PROGRAM = "program"


class AuditEntry(models.Model):
    """One thing that was done. ``sessions_app.audit.record`` writes it; nothing else does.

    ``number`` is its place: from 1, without gaps. ``digest`` is SHA-256 over the digest of the row before and this
    row's canonical bytes (``audit.chain``). It holds ids and never a name of a person or a word of what was said, and
    no foreign keys: it outlives what it is about, and who it is about stays nameless once their account is gone.
    ``actor_name`` is that of a program; ``details`` is canonical JSON, of known keys only.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    recorded_at = models.DateTimeField()
    action = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=7, choices=ActorKind.choices)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=64)
    token_id = models.BigIntegerField(null=True)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    details = models.TextField()
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["action", "number"], name="audit_by_action"),
            models.Index(fields=["actor_id", "number"], name="audit_by_actor"),
            models.Index(fields=["object_id", "number"], name="audit_by_object"),
            models.Index(fields=["address", "number"], name="audit_by_address"),
            models.Index(fields=["recorded_at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.action}"

    def _save_table(self, raw: bool = False, cls: Any = None, force_insert: bool = False, *args: Any) -> bool:
        """Take a row as it is from a dump that is loaded (``raw``), which may be there; nothing else saves one.

        Raises TypeError, and IntegrityError where another row has the number: the audit has begun again here.
        """
        if not raw:
            raise TypeError("Rows of the audit are written by audit.record only.")
        same = AuditEntry._base_manager.filter(number=self.number, digest=self.digest)
        return same.exists() or super()._save_table(raw, cls, True, *args)  # type: ignore[misc]  # not in the stubs


class AuditHead(models.Model):
    """How many rows the audit has, and the digest of the newest: one row, locked by whoever adds to it.

    ``logged_at`` is when count and digest were last written to the log.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    count = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    logged_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_audit_head")]

    def __str__(self) -> str:
        return f"{self.count}: {self.digest}"

    def _save_table(self, raw: bool = False, *args: Any, **kwargs: Any) -> bool:
        """Leave a head that is further than a dump's which is loaded."""
        further = AuditHead._base_manager.filter(count__gte=self.count)
        kept = raw and further.exists()
        return kept or super()._save_table(raw, *args, **kwargs)  # type: ignore[misc]  # as above
