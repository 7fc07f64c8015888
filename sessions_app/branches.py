"""Lines of a conversation: which rows the active branch consists of, and who stands beside whom.

A branch holds the line from its fork position on; before that its parent's line holds. So a
line is a short chain of segments, each a range of one index, and reading its end costs the
same however long it is. Switching is one small write: the session's ``active_branch``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from sessions_app.database import plain
from sessions_app.models import Branch, ChatSession, Message

_LAST = """
SELECT position FROM sessions_app_message
WHERE branch_id = %s AND position >= %s AND position < %s
ORDER BY position DESC LIMIT 1
"""
_NO_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Segment:
    """The positions ``start`` to ``end`` (exclusive; None: without end) of one branch.

    Only the rows of its own session, which are those that the session's stamp tells of.
    """

    session_id: UUID
    branch_id: UUID
    start: int
    end: int | None

    def messages(self) -> QuerySet[Message]:
        """Return the segment's rows."""
        rows = Message.objects.filter(
            branch_id=self.branch_id, position__gte=self.start, chat_session_id=self.session_id
        )
        return rows if self.end is None else rows.filter(position__lt=self.end)


def line(chat_session: ChatSession) -> list[Segment]:
    """Return the segments of the active branch, the newest first."""
    active = chat_session.active_branch
    if active.parent_id is None and active.chat_session_id == chat_session.pk:
        return [Segment(chat_session.pk, active.pk, 0, None)]
    branches = {branch.pk: branch for branch in chat_session.branches.all()}
    segments: list[Segment] = []
    end: int | None = None
    branch = branches.get(chat_session.active_branch_id)
    while branch is not None:
        start = 0 if branch.parent_id is None else branch.fork_position
        segments.append(Segment(chat_session.pk, branch.pk, start, end))
        end = start
        branch = branches.get(branch.parent_id) if branch.parent_id else None
    return segments


def latest(chat_session: ChatSession, limit: int, *, before: int | None = None) -> tuple[list[Message], bool]:
    """Return the last ``limit`` messages (ascending) below position ``before``, and if more are."""
    found: list[Message] = []
    for segment in line(chat_session):
        rows = segment.messages().order_by("-position")
        if before is not None:
            rows = rows.filter(position__lt=before)
        found += rows[: limit + 1 - len(found)]
        if len(found) > limit:
            break
    return found[limit - 1 :: -1] if len(found) >= limit else found[::-1], len(found) > limit


def next_position(chat_session: ChatSession) -> int:
    """Return the first free position at the end of the line (under the session's lock).

    Never one before the newest segment, where it would be no part of the line; nor one that a row
    which is not shown, because it was moved to another session, still holds.
    """
    segments = line(chat_session)
    for segment in segments:
        for (last,) in plain.rows(_LAST, [segment.branch_id, segment.start, segment.end or _NO_END]):
            return max(int(last) + 1, segments[0].start)
    return segments[0].start if segments else 0


def alternatives(messages: Sequence[Message]) -> dict[int, list[UUID]]:
    """Return, by primary key, the ids of the messages in the same place of other branches.

    A message that opens a branch stands beside the parent's message at the fork position and
    beside the first messages of the other branches that fork there. Oldest first.
    """
    sessions = {message.chat_session_id for message in messages}
    branches = {b.pk: b for b in Branch.objects.filter(chat_session__in=sessions)}
    if all(branch.parent_id is None for branch in branches.values()):
        return {}
    places = {message.pk: _place(branches[message.branch_id], message.position) for message in messages}
    families: dict[tuple[UUID, int], list[UUID]] = {place: [place[0]] for place in places.values()}
    for branch in branches.values():
        if branch.parent_id and (branch.parent_id, branch.fork_position) in families:
            families[branch.parent_id, branch.fork_position].append(branch.pk)
    standing = _standing({place: family for place, family in families.items() if len(family) > 1})
    return {
        message.pk: [other for other in standing.get(places[message.pk], []) if other != message.public_id]
        for message in messages
    }


def _place(branch: Branch, position: int) -> tuple[UUID, int]:
    """Return the place of a message: the branch that a fork here would have as its parent."""
    forks_here = branch.parent_id is not None and position == branch.fork_position
    return (branch.parent_id if forks_here and branch.parent_id else branch.pk, position)


def _standing(families: dict[tuple[UUID, int], list[UUID]]) -> dict[tuple[UUID, int], list[UUID]]:
    """Return the ids of the messages that stand in each place, oldest first."""
    condition = Q(pk__in=[])
    for (_, position), family in families.items():
        condition |= Q(branch__in=family, position=position)
    found: dict[tuple[UUID, int], list[UUID]] = {place: [] for place in families}
    for branch_id, position, public_id in (
        Message.objects.filter(condition).order_by("pk").values_list("branch_id", "position", "public_id")
    ):
        for place, family in families.items():
            if place[1] == position and branch_id in family:
                found[place].append(public_id)
    return found
