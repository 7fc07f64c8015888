"""Heartbeat and checkpoint of the running turns: one hop a second for all of this process.

The text so far is kept on the turn, not in the transcript, so that it survives the process
and changes nothing under the guard. The same hop tells which turns are no longer ours, and
which some other process was asked to stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Now

from sessions_app.models import Turn, TurnStatus

BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Beat:
    """One running turn's heartbeat; ``text`` (None: unchanged) is of the answer ``answer_id``."""

    turn_id: int
    claim: UUID
    answer_id: UUID
    text: str | None


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the beats found, by primary key of the turns."""

    lost: frozenset[int]
    stop_requested: frozenset[int]


def beat(beats: Iterable[Beat]) -> Pulse:
    """Write all heartbeats and checkpoints in one transaction."""
    lost: set[int] = set()
    alive: set[int] = set()
    for one in beats:
        mine = Turn.objects.filter(pk=one.turn_id, claim=one.claim, status=TurnStatus.RUNNING)
        (alive if mine.update(heartbeat_at=Now()) else lost).add(one.turn_id)
        if one.text is not None:
            # A step stored meanwhile has begun another answer, whose text this is not.
            mine.filter(answer_id=one.answer_id).update(checkpoint=one.text)
    asked = Turn.objects.filter(pk__in=alive, stop_requested=True)
    return Pulse(frozenset(lost), frozenset(asked.values_list("pk", flat=True)))
