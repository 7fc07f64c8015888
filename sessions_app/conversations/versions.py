"""Which messages stand in one place of a conversation, each in a branch of its own: versions of one another.

A message that opens a branch stands beside the parent's message at the fork position, and beside the first messages
of the other branches that fork there. Notes and summaries have no versions: where they stand at the position of a fork,
the first message behind them has that place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from sessions_app.database import plain
from sessions_app.models import Message, MessageKind

Place = tuple[UUID, int]
_NOT_SAID = (MessageKind.NOTE, MessageKind.SUMMARY)
# Such rows before the first thing that is said in a branch: a note, and summaries that make room for an answer.
_MOST_BEFORE = 3
# No row has this kind.
_NOTHING = ("nothing", 0, UUID(int=0))

# The branches of some messages, and all that fork where one of these may stand.
_BRANCHES = """
SELECT id, parent_id, fork_position FROM sessions_app_branch WHERE id IN ({ids})
UNION SELECT id, parent_id, fork_position FROM sessions_app_branch
WHERE parent_id IN ({ids}) AND fork_position BETWEEN %s AND %s
UNION SELECT other.id, other.parent_id, other.fork_position FROM sessions_app_branch AS own
JOIN sessions_app_branch AS other ON other.parent_id = own.parent_id AND other.fork_position = own.fork_position
WHERE own.id IN ({ids}) AND own.fork_position BETWEEN %s AND %s
"""


def versions(messages: Sequence[Message]) -> dict[int, list[UUID]]:
    """Return, by primary key, the ids of the messages in the same place, the message itself among them, oldest first.

    A message that stands alone is left out. The cost is proportional to these messages and their versions, not with the
    other branches of their sessions.
    """
    said = [message for message in messages if message.kind == MessageKind.SAID]
    if not said:
        return {}
    branches = _branches(said)
    places = {message.pk: _places(message, *branches[message.branch_id]) for message in said}
    families: dict[Place, list[UUID]] = {place: [place[0]] for some in places.values() for place in some}
    for branch_id, (parent_id, fork_position) in branches.items():
        if parent_id is not None and (parent_id, fork_position) in families:
            families[parent_id, fork_position].append(branch_id)
    standing = _standing({place: family for place, family in families.items() if len(family) > 1})
    found = {}
    for message in said:
        for place in places[message.pk]:
            if message.public_id in (beside := standing.get(place, [])) and len(beside) > 1:
                found[message.pk] = beside
    return found


def _branches(messages: Sequence[Message]) -> dict[UUID, tuple[UUID | None, int]]:
    """Return parent and fork position of the branches that can stand in these messages' places."""
    ids = list({message.branch_id for message in messages})
    positions = [message.position for message in messages]
    bounds = [min(positions) - _MOST_BEFORE, max(positions)]
    sql = _BRANCHES.format(ids=", ".join(["%s"] * len(ids)))
    found = plain.rows(sql, [*ids, *ids, *bounds, *ids, *bounds])
    # SQLite returns ids as text.
    return {UUID(str(own)): (UUID(str(parent)) if parent else None, fork) for own, parent, fork in found}


def _places(message: Message, parent_id: UUID | None, fork_position: int) -> list[Place]:
    """Return the places that a message may have: its own, and those of notes and summaries before it.

    The answer at position 4 of branch A, and those of branches B and C that fork at 4, all have the place (A, 4): the
    branch that a fork here would have as its parent, and the position.
    """
    return [
        (parent_id if parent_id and position == fork_position else message.branch_id, position)
        for position in range(message.position, max(-1, message.position - _MOST_BEFORE - 1), -1)
    ]


def _standing(families: dict[Place, list[UUID]]) -> dict[Place, list[UUID]]:
    """Return the ids of the messages that stand in each place, oldest first."""
    if not families:
        return {}
    condition = Q()
    for (_, position), family in families.items():
        condition |= Q(branch__in=family, position__in=range(position, position + _MOST_BEFORE + 1))
    rows = Message.objects.filter(condition).values_list("branch_id", "position", "kind", "pk", "public_id")
    at = {(branch_id, position): (kind, pk, public_id) for branch_id, position, kind, pk, public_id in rows}
    return {place: _opening(at, place[1], family) for place, family in families.items()}


def _opening(at: dict[Place, tuple[str, int, UUID]], position: int, family: Iterable[UUID]) -> list[UUID]:
    """Return what each of some branches says first from a position on, oldest first."""
    found = []
    for branch_id in family:
        rows = (at.get((branch_id, position + offset), _NOTHING) for offset in range(_MOST_BEFORE + 1))
        kind, pk, public_id = next(row for row in (*rows, _NOTHING) if row[0] not in _NOT_SAID)
        if kind == MessageKind.SAID:
            found.append((pk, public_id))
    return [public_id for _, public_id in sorted(found)]
