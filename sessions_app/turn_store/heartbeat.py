"""Heartbeat and checkpoint of the running turns: one hop a second for all of this process.

The text so far is kept on the turn, not in the transcript, so that it survives the process
and changes nothing under the guard. The same hop tells which turns are no longer ours, and
which are to stop: some other process was asked to, their user may no longer act, or may no longer use what answers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from sessions_app.conversations import features
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.database import plain
from sessions_app.models import Turn, TurnStatus

BEAT_SECONDS = 1.0
# What Django's Now() is.
_NOW = {"sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", "postgresql": "STATEMENT_TIMESTAMP()"}
_BEAT = "UPDATE sessions_app_turn SET heartbeat_at = {now} WHERE id = %s AND claim = %s AND status = 'running'"
# A step stored meanwhile has begun another answer, whose text this is not.
_CHECKPOINT = """
UPDATE sessions_app_turn SET checkpoint = %s, checkpoint_seq = %s
WHERE id = %s AND claim = %s AND status = 'running' AND answer_id = %s
"""


def beat_seconds(lease: float) -> float:
    """Return the seconds between two heartbeats, for a lease in seconds."""
    return min(BEAT_SECONDS, lease / 5)


def silence_of(lease: float) -> float:
    """Return after how many seconds of silence a process is dead: a beat less than the lease, as each beat looks."""
    return lease - beat_seconds(lease)


@dataclass(frozen=True, slots=True)
class Beat:
    """One running turn's heartbeat, with how far its answer has come (None: as far as at the last one).

    ``profile_id`` is what it has begun with.
    """

    turn_id: int
    claim: UUID
    answer: RunShape | None
    profile_id: int | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the beats found, by primary key of the turns. ``forbidden``: their users may not use what answers."""

    lost: frozenset[int]
    to_stop: frozenset[int]
    forbidden: frozenset[int] = frozenset()


def beat(beats: Collection[Beat]) -> Pulse:
    """Write all heartbeats and checkpoints in one transaction."""
    plain.each(_BEAT.format(now=_NOW[connection.vendor]), [[one.turn_id, one.claim] for one in beats])
    said = [
        [one.answer.text, one.answer.seq, one.turn_id, one.claim, one.answer.message_id] for one in beats if one.answer
    ]
    plain.each(_CHECKPOINT, said)
    claims = {one.turn_id: one.claim for one in beats}
    # The turn of a user whose row is gone is not found.
    mine = Turn.objects.filter(pk__in=claims, status=TurnStatus.RUNNING)
    states = mine.values_list("pk", "claim", "stop_requested", "owner__is_active", "owner")
    alive = {pk: (stop or not may_act, owner) for pk, claim, stop, may_act, owner in states if claim == claims[pk]}
    to_stop = frozenset(pk for pk, (stop, _) in alive.items() if stop)
    used = {one.turn_id: (alive[one.turn_id][1], one.profile_id) for one in beats if one.turn_id in alive}
    return Pulse(frozenset(claims.keys() - alive), to_stop, _forbidden(used))


def _forbidden(used: dict[int, tuple[int, int | None]]) -> frozenset[int]:
    """Return the turns whose (user, profile) may not be; a profile that was removed meanwhile is nobody's loss."""
    denied = features.denied({owner for owner, _ in used.values()}) if used else {}
    return frozenset(pk for pk, (owner, profile) in used.items() if profile in denied[owner].profiles)
