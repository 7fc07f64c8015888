"""The rows of purges: begun by one process, fenced, counted in the transactions that delete, and looked back at.

There is one row for a night, made by whichever process comes first. A process that dies leaves it without an end, and
another takes the claim and goes on. Every transaction that deletes writes its counts under the claim: so no two
processes go on with one run, and the row says exactly what is gone, wherever a process was killed.

A clock that has jumped ahead would make every chat old. So a run whose last one is a week ago deletes nothing and says
so: the next night goes on. What that night may delete is bounded besides (``purge``).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from sessions_app.database import plain
from sessions_app.models import PurgeRun
from sessions_app.turn_store.liveness import known_dead

NIGHT_HOUR = 3
"""A night's run begins after this hour (UTC)."""

LONGEST_PAUSE = timedelta(days=7)
"""A clock that says that no purge was made for longer is not believed at once."""


@dataclass(frozen=True, slots=True)
class Run:
    """A purge that this process makes."""

    id: int
    claim: UUID


class ClaimLost(Exception):
    """The run is no longer this process's: it was silent for too long, and another one goes on."""


def now() -> datetime:
    """Return the time by the database's clock."""
    [(moment,)] = plain.rows("SELECT CURRENT_TIMESTAMP", [])
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(moment).replace(tzinfo=UTC)


def night() -> date:
    """Return the day whose night's run is due now."""
    return (now() - timedelta(hours=NIGHT_HOUR)).date()


def is_to_do(silence: float) -> bool:
    """Tell whether the night's run was not begun, or its process has died: only then it is worth a transaction."""
    run = PurgeRun.objects.filter(night=night()).first()
    return run is None or (run.ended_at is None and _is_abandoned(run, silence))


def begin_night(process: str, silence: float) -> Run | None:
    """Take the night's run, new or from a process that was silent for so many seconds; None where another has it."""
    claim, tonight = uuid.uuid4(), night()
    PurgeRun.objects.bulk_create([PurgeRun(night=tonight, claim=claim, process=process)], ignore_conflicts=True)
    run = PurgeRun.objects.get(night=tonight)
    if run.claim == claim:
        return Run(run.pk, claim)
    if run.ended_at is not None or not _is_abandoned(run, silence):
        return None
    mine = PurgeRun.objects.filter(pk=run.pk, claim=run.claim, ended_at=None)
    return Run(run.pk, claim) if mine.update(claim=claim, process=process, heartbeat_at=Now()) else None


def begin_now() -> Run:
    """Begin a run that somebody has asked for."""
    run = PurgeRun.objects.create(claim=uuid.uuid4())
    return Run(run.pk, run.claim)


def _is_abandoned(run: PurgeRun, silence: float) -> bool:
    return known_dead(run.process) or run.heartbeat_at < now() - timedelta(seconds=silence)


def note(run: Run, *, chats: int = 0, messages: int = 0, files: int = 0, accounts: int = 0) -> None:
    """Count what this transaction has deleted, and say that the run goes on. Raises ClaimLost."""
    counts = {"chats": chats, "messages": messages, "files": files, "accounts": accounts}
    _write(run, **{name: F(name) + count for name, count in counts.items()})


def refuse(run: Run, why: str) -> None:
    """Say why the policies are not applied. Raises ClaimLost."""
    _write(run, refusal=why)


def finish(run: Run) -> PurgeRun:
    """End a run, and return its row. Raises ClaimLost."""
    _write(run, ended_at=Now())
    return PurgeRun.objects.get(pk=run.id)


def _write(run: Run, **columns: object) -> None:
    ours = PurgeRun.objects.filter(pk=run.id, claim=run.claim, ended_at=None)
    if not ours.update(heartbeat_at=Now(), **columns):
        raise ClaimLost


def pause_before(run: Run | None = None) -> timedelta | None:
    """Return how long ago the last purge was, before this one; None where there was none."""
    before = PurgeRun.objects.exclude(pk=run.id) if run else PurgeRun.objects.all()
    last = before.order_by("-started_at", "-id").first()
    return None if last is None else now() - (last.ended_at or last.heartbeat_at)
