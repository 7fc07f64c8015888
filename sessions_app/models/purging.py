"""What is deleted when: the operator's policies and holds, what users have asked for, and what a purge has done."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

_AT_LEAST_A_DAY = [MinValueValidator(1)]


class RetentionPolicy(models.Model):
    """After how many days without activity chats are deleted: those of a group's members, or without a group all.

    ``archived_days`` is for archived chats; null: as the others. ``days`` null: only archived chats are deleted.
    """

    group = models.OneToOneField(
        Group, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name="group"
    )
    days = models.PositiveIntegerField(null=True, blank=True, validators=_AT_LEAST_A_DAY)
    archived_days = models.PositiveIntegerField(
        null=True, blank=True, validators=_AT_LEAST_A_DAY, verbose_name="days of archived chats"
    )

    class Meta:
        verbose_name_plural = "retention policies"
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(group__isnull=True),
                name="one_policy_of_the_site",
                violation_error_message="The site has a policy already: change that one.",
            ),
            models.CheckConstraint(
                condition=Q(days__isnull=False) | Q(archived_days__isnull=False),
                name="policy_has_days",
                violation_error_message="Say after how many days chats are deleted, archived ones or all.",
            ),
            models.CheckConstraint(
                condition=(Q(days__isnull=True) | Q(days__gte=1))
                & (Q(archived_days__isnull=True) | Q(archived_days__gte=1)),
                name="policy_days_at_least_one",
                violation_error_message="A day is the least: with none, chats would go while they are read.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.group) if self.group_id else "The whole site"


class LegalHold(models.Model):
    """Nothing of a user's chats, and not their account, is deleted while this row is there.

    The foreign key refuses the deletion of the user's row, by whatever program.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="user"
    )
    reason = models.CharField(max_length=200, help_text="For administrators: such as a case's number.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"hold on user {self.owner_id}"


class DeletionKind(models.TextChoices):
    """What a user wants to be deleted."""

    ACCOUNT = "account"
    CHATS = "chats"


class DeletionRequest(models.Model):
    """A user wants all their chats, or their account, to be deleted; until ``due_at`` it can be taken back.

    ``begun_at`` is when that began: then it goes on to its end. The chats are those that there were at ``asked_at``.
    The row goes with the last chat, or with the account.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=7, choices=DeletionKind)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "kind"], name="one_deletion_of_a_kind"),
            models.CheckConstraint(condition=Q(kind__in=DeletionKind.values), name="deletion_kind_known"),
        ]
        indexes = [models.Index(fields=["due_at", "id"], name="deletion_by_due")]

    def __str__(self) -> str:
        return f"{self.kind} of user {self.owner_id}"


class PurgeRun(models.Model):
    """One purge: who has made it, when, and what it has removed. Never a word of what was said.

    ``night`` is the day (UTC) of a night's run, of which there is one, null for one of ``manage.py purge``. ``claim``
    is made afresh by each process that takes the run; every write of the run is conditional on it. ``heartbeat_at`` is
    by the database's clock. ``refusal`` says why the policies were not applied, empty where they were.
    """

    id = models.BigAutoField(primary_key=True)
    night = models.DateField(null=True, blank=True, unique=True)
    claim = models.UUIDField()
    process = models.CharField(max_length=64, blank=True)
    heartbeat_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    chats = models.PositiveBigIntegerField(default=0, db_default=0)
    messages = models.PositiveBigIntegerField(default=0, db_default=0)
    files = models.PositiveBigIntegerField(default=0, db_default=0)
    accounts = models.PositiveBigIntegerField(default=0, db_default=0)
    refusal = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["-started_at", "-id"], name="purge_by_age")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class KeptSpending(models.Model):
    """What turns have cost whose rows are gone: figures of the ledger, without a word of text.

    Written by a trigger on the deletion of turns (``database/sql``), so that whatever deletes a chat or a user, by
    whatever program, loses no figure. Sums by day (UTC), user, profile, kind of what is beside the turns, and cause of
    a miss; on PostgreSQL several rows may have the same. User and profile are their numbers, and may be gone.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    owner_id = models.BigIntegerField()
    profile_id = models.BigIntegerField(null=True)
    beside = models.CharField(max_length=12)
    miss = models.CharField(max_length=20)
    turns = models.BigIntegerField()
    expected_tokens = models.BigIntegerField()
    missed_tokens = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    cached_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    cost = models.DecimalField(max_digits=20, decimal_places=9)
    saved = models.DecimalField(max_digits=20, decimal_places=9)
    priced = models.BigIntegerField()
    unpriced = models.BigIntegerField()
    uncounted_tokens = models.BigIntegerField()
    uncounted_cost = models.DecimalField(max_digits=20, decimal_places=9)

    class Meta:
        indexes = [models.Index(fields=["day", "owner_id"], name="kept_spending_by_day")]

    def __str__(self) -> str:
        return f"user {self.owner_id} on {self.day}"
