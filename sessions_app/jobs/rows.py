"""What jobs do in the database, one transaction each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.conversations import access, reach
from sessions_app.conversations.shape import Shape
from sessions_app.errors import Conflict, Forbidden, NotFound
from sessions_app.models import Job, JobKind, JobState
from sessions_app.turn_store.liveness import known_dead

KEPT_FOR = timedelta(days=1)
"""How long a job that has ended can be asked for, with what it has made."""

PENDING_FOR = timedelta(hours=1)
"""After so long nobody writes the file of an import any more."""

MAX_ATTEMPTS = 3
"""A job with which so many processes have died is not begun again."""

_AT_ONCE = 50
_TO_DO = (JobState.WAITING, JobState.RUNNING)
_DIED = "The server stopped while it worked on this, several times. Try again later."


class JobShape(Shape):
    """A job: how far it is (``progress``, 0 to 1), and when it has ended, what came of it (``report``).

    ``size`` is the bytes of its result, null where there is none.
    """

    id: UUID
    kind: JobKind
    state: Literal["waiting", "running", "done", "failed"]
    progress: float
    report: dict[str, Any] | None
    size: int | None
    created_at: datetime
    ended_at: datetime | None


def job_shape(job: Job) -> JobShape:
    """Return a job's shape."""
    is_pending = job.state == JobState.PENDING
    return JobShape(
        id=job.pk,
        kind=JobKind(job.kind),
        state="waiting" if is_pending else job.state,
        progress=job.progress,
        report=job.report,
        size=job.size if job.result else None,
        created_at=job.created_at,
        ended_at=job.ended_at,
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this process works on; ``taken`` is what an import has taken in before its process died."""

    job_id: UUID
    claim: UUID
    owner_id: int
    kind: JobKind
    folder: UUID
    source: str = ""
    taken: dict[str, int] | None = None


class ClaimLost(Exception):
    """The job is no longer this process's: another one has taken it, or its user may no longer act."""


def check_whole_account() -> None:
    """Refuse a token that is for the chats of one profile. Raises Forbidden."""
    if reach.profile() is not None:
        raise Forbidden("This API token is for the chats of one profile.")


def ask_for_export(user_id: int) -> JobShape:
    """Have a user's account exported; where that is under way, return that job. An earlier result goes.

    Raises Forbidden, NotFound.
    """
    check_whole_account()
    access.require_user(user_id)
    own = Job.objects.filter(owner_id=user_id, kind=JobKind.EXPORT)
    if (job := own.filter(state__in=_TO_DO).first()) is None:
        own.exclude(state=JobState.REMOVED).update(state=JobState.REMOVED)
        job = Job(owner_id=user_id, kind=JobKind.EXPORT)
        job.save(force_insert=True)
        audit.record(Action.EXPORT_ASKED, Object(ObjectKind.JOB, job.pk), user=user_id)
    return job_shape(job)


def check_import(user_id: int) -> None:
    """Refuse an import beside another one of the user's. Raises Conflict, Forbidden, NotFound."""
    check_whole_account()
    access.require_user(user_id)
    if Job.objects.filter(owner_id=user_id, kind=JobKind.IMPORT, state__in=_TO_DO).exists():
        raise Conflict("Another import of yours is under way. Wait until it has ended.")


def reserve_import(user_id: int, source: str) -> Job:
    """Store an import whose file is still to be written. Raises Conflict, Forbidden, NotFound."""
    check_import(user_id)
    job = Job(owner_id=user_id, kind=JobKind.IMPORT, state=JobState.PENDING, source=source)
    job.save(force_insert=True)
    return job


def begin_import(user_id: int, job_id: UUID) -> JobShape:
    """Have an import begun whose file is there. Raises Conflict, Forbidden, NotFound."""
    check_import(user_id)
    if not Job.objects.filter(pk=job_id, state=JobState.PENDING).update(state=JobState.WAITING):
        raise Conflict("To send this file has taken too long. Try again.")
    audit.record(Action.IMPORT_ASKED, Object(ObjectKind.JOB, job_id), user=user_id)
    return job_shape(Job.objects.get(pk=job_id))


def give_up(job_id: UUID) -> None:
    """Have an import removed that was not begun."""
    Job.objects.filter(pk=job_id, state=JobState.PENDING).update(state=JobState.REMOVED)


def find(user_id: int, job_id: UUID) -> Job:
    """Return one of the user's jobs. Raises NotFound."""
    own = Job.objects.filter(pk=job_id, owner_id=user_id).exclude(state=JobState.REMOVED)
    if reach.profile() is not None or (job := own.first()) is None:
        raise NotFound
    return job


def is_anything_to_do() -> bool:
    """Tell whether any job waits or runs: only then it is worth a transaction that writes to look for one."""
    return Job.objects.filter(Exists(_owners()), state__in=_TO_DO).exists()


def claim(process: str, silence: float) -> Claim | None:
    """Take the next job that waits, or whose process is dead or was silent for ``silence`` seconds.

    None of a user who may no longer act: those are removed (``expire``).
    """
    to_do = Job.objects.filter(Exists(_owners()), state__in=_TO_DO)
    for job in to_do.annotate(silent=_silent(silence)).order_by("created_at")[:_AT_ONCE]:
        if job.state == JobState.RUNNING and not (job.silent or known_dead(job.process)):
            continue
        mine = Job.objects.filter(pk=job.pk, state=job.state, claim=job.claim)
        if job.attempts >= MAX_ATTEMPTS:
            mine.update(state=JobState.FAILED, report={"error": _DIED}, ended_at=Now())
            continue
        taken = uuid.uuid4()
        if mine.update(
            state=JobState.RUNNING, claim=taken, process=process, heartbeat_at=Now(), attempts=F("attempts") + 1
        ):
            return Claim(job.pk, taken, job.owner_id, JobKind(job.kind), job.folder, job.source, job.report)
    return None


def _silent(seconds: float) -> Q:
    return Q(heartbeat_at__lt=Now() - timedelta(seconds=seconds))


def _owners() -> QuerySet[Any]:
    return get_user_model().objects.filter(pk=OuterRef("owner_id"), is_active=True)


def _write(claimed: Claim, **columns: Any) -> None:
    ours = Job.objects.filter(pk=claimed.job_id, claim=claimed.claim, state=JobState.RUNNING)
    if not ours.filter(Exists(_owners())).update(**columns):
        raise ClaimLost


def beat(claimed: Claim, progress: float) -> None:
    """Write the heartbeat, and how far the job is. Raises ClaimLost."""
    _write(claimed, heartbeat_at=Now(), progress=progress)


def note_taken(claimed: Claim, taken: dict[str, int]) -> None:
    """Write what an import has taken in, in the transaction that does so. Raises ClaimLost."""
    _write(claimed, heartbeat_at=Now(), report=taken)


def finish(claimed: Claim, report: dict[str, Any], result: str = "", size: int = 0) -> None:
    """End a job that is done; ``result`` names the object that it has made. Raises ClaimLost."""
    told = {"report": report, "result": result, "size": size, "progress": 1.0}
    _write(claimed, state=JobState.DONE, ended_at=Now(), **told)


def fail(claimed: Claim, text: str) -> None:
    """End a job that could not be done; ``text`` tells its user why. Raises ClaimLost."""
    _write(claimed, state=JobState.FAILED, ended_at=Now(), report={"error": text})


def give_back(claimed: Claim) -> None:
    """Leave a job to the next process: this one ends. It does not count as an attempt. Raises ClaimLost."""
    _write(claimed, state=JobState.WAITING, claim=None, attempts=F("attempts") - 1)


def expire() -> int:
    """Have jobs removed that ended long ago, or whose user is gone or may no longer act; return how many."""
    return Job.objects.filter(_old()).exclude(state=JobState.REMOVED).update(state=JobState.REMOVED)


def removed() -> list[Job]:
    """Return jobs whose objects are to be removed."""
    return list(Job.objects.filter(state=JobState.REMOVED).order_by("created_at")[:_AT_ONCE])


def forget(job_ids: list[UUID]) -> None:
    """Delete the rows of jobs whose objects are gone."""
    Job.objects.filter(pk__in=job_ids, state=JobState.REMOVED).delete()


def expired() -> int:
    """Return how many jobs there are to be removed."""
    return Job.objects.filter(_old() | Q(state=JobState.REMOVED)).count()


def _old() -> Q:
    ended = Q(state__in=[JobState.DONE, JobState.FAILED], ended_at__lt=Now() - KEPT_FOR)
    broken_off = Q(state=JobState.PENDING, created_at__lt=Now() - PENDING_FOR)
    return ended | broken_off | ~Q(Exists(_owners()))
