"""Which messages stand in one place of a conversation, each in a branch of its own: versions of one another.

A message that opens a branch stands beside the parent's message at the fork position, and beside the first messages
of the other branches that fork there.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from sessions_app.database import plain
from sessions_app.models import Message

Place = tuple[UUID, int]

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
    if not messages:
        return {}
    branches = _branches(messages)
    places = {message.pk: _place(message, *branches[message.branch_id]) for message in messages}
    families: dict[Place, list[UUID]] = {place: [place[0]] for place in places.values()}
    for branch_id, (parent_id, fork_position) in branches.items():
        if parent_id is not None and (parent_id, fork_position) in families:
            families[parent_id, fork_position].append(branch_id)
    standing = _standing({place: family for place, family in families.items() if len(family) > 1})
    return {pk: standing[place] for pk, place in places.items() if len(standing.get(place, ())) > 1}


def _branches(messages: Sequence[Message]) -> dict[UUID, tuple[UUID | None, int]]:
    """Return parent and fork position of the branches that can stand in these messages' places."""
    ids = list({message.branch_id for message in messages})
    positions = [message.position for message in messages]
    bounds = [min(positions), max(positions)]
    sql = _BRANCHES.format(ids=", ".join(["%s"] * len(ids)))
    found = plain.rows(sql, [*ids, *ids, *bounds, *ids, *bounds])
    # SQLite returns ids as text.
    return {UUID(str(own)): (UUID(str(parent)) if parent else None, fork) for own, parent, fork in found}


def _place(message: Message, parent_id: UUID | None, fork_position: int) -> Place:
    """Return the place of a message: the branch that a fork here would have as its parent, and the position.

    The answer at position 4 of branch A, and those of branches B and C that fork at 4, all have the place (A, 4).
    """
    forks_here = parent_id is not None and message.position == fork_position
    return (parent_id if forks_here and parent_id else message.branch_id, message.position)


def _standing(families: dict[Place, list[UUID]]) -> dict[Place, list[UUID]]:
    """Return the ids of the messages that stand in each place, oldest first."""
    if not families:
        return {}
    condition = Q()
    for (_, position), family in families.items():
        condition |= Q(branch__in=family, position=position)
    found: dict[Place, list[UUID]] = {place: [] for place in families}
    rows = Message.objects.filter(condition).order_by("pk").values_list("branch_id", "position", "public_id")
    for branch_id, position, public_id in rows:
        for place, family in families.items():
            if place[1] == position and branch_id in family:
                found[place].append(public_id)
    return found
