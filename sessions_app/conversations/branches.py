"""Lines of a conversation: which rows the active branch consists of, and how another line begins.

A branch holds the line from its fork position on; before that its parent's line holds. So a line is a chain of
segments, each a range of one index. What a turn asks for (where the line ends, its last messages) begins at the newest
segment and goes back only as far as it needs rows: it costs the same however long the line is, however many branches
there are beside it, and however deep they are nested. To switch is one small write: the session's ``active_branch``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from uuid import UUID, uuid4

from django.db.models import QuerySet

from sessions_app.database import plain
from sessions_app.models import Branch, ChatSession, Message, MessageKind

# Segments that one query reads together.
_SEGMENTS = 64
_CHAIN = """
WITH RECURSIVE chain (id, parent_id, fork_position) AS (
  SELECT id, parent_id, fork_position FROM sessions_app_branch WHERE id = %s AND chat_session_id = %s
  UNION ALL
  SELECT branch.id, branch.parent_id, branch.fork_position
  FROM chain JOIN sessions_app_branch AS branch ON branch.id = chain.parent_id AND branch.chat_session_id = %s
)
SELECT id, parent_id, fork_position FROM chain LIMIT %s
"""
# Of one segment; {order} is ASC or DESC.
_SOME = """
SELECT id, position FROM (
  SELECT id, position FROM sessions_app_message
  WHERE branch_id = %s AND chat_session_id = %s AND position >= %s AND position < %s
  ORDER BY position {order} LIMIT %s
) AS segment
"""
_LAST = """
SELECT position FROM sessions_app_message
WHERE branch_id = %s AND position >= %s AND position < %s
ORDER BY position DESC LIMIT 1
"""
# The branches in which a message's line can go on, each with its newest row.
_CONTINUATIONS = """
WITH RECURSIVE later (id) AS (
  SELECT id FROM sessions_app_branch WHERE id = %s AND chat_session_id = %s
  UNION
  SELECT branch.id FROM later JOIN sessions_app_branch AS branch ON branch.parent_id = later.id
  WHERE branch.fork_position > %s AND branch.chat_session_id = %s
)
SELECT later.id, (
  SELECT message.id FROM sessions_app_message AS message WHERE message.branch_id = later.id
  ORDER BY message.position DESC LIMIT 1
) AS newest FROM later
"""
_NO_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Segment:
    """The positions ``start`` to ``end`` (exclusive) of one branch.

    Only the rows of its own session, which are those that the session's stamp tells of.
    """

    session_id: UUID
    branch_id: UUID
    start: int
    end: int = _NO_END

    def messages(self) -> QuerySet[Message]:
        """Return the segment's rows."""
        rows = Message.objects.filter(
            branch_id=self.branch_id, position__gte=self.start, chat_session_id=self.session_id
        )
        return rows if self.end == _NO_END else rows.filter(position__lt=self.end)

    def has(self, message: Message) -> bool:
        """Tell whether a message is one of its rows."""
        return message.branch_id == self.branch_id and self.start <= message.position < self.end


def line(chat_session: ChatSession) -> Iterator[Segment]:
    """Yield the segments of the active branch, the newest first, reading only as many branches as are asked for."""
    active = chat_session.active_branch
    if active.chat_session_id == chat_session.pk:
        yield from _segments(chat_session.pk, active)


def _segments(session_id: UUID, branch: Branch) -> Iterator[Segment]:
    segment = Segment(session_id, branch.pk, branch.fork_position if branch.parent_id else 0)
    yield segment
    for branch_id, start in _ancestors(session_id, branch):
        segment = Segment(session_id, branch_id, start, segment.start)
        yield segment


def _ancestors(session_id: UUID, branch: Branch) -> Iterator[tuple[UUID, int]]:
    """Yield the branches before a branch, each with the position at which it begins.

    Where the parents form a circle (damaged data), each once.
    """
    parent_id, seen = branch.parent_id, {branch.pk}
    while parent_id is not None:
        found = plain.rows(_CHAIN, [parent_id, session_id, session_id, _SEGMENTS])
        parent_id = None
        for own_id, its_parent, fork_position in found:
            branch_id = UUID(str(own_id))
            if branch_id in seen:
                return
            seen.add(branch_id)
            yield branch_id, fork_position if its_parent else 0
            parent_id = UUID(str(its_parent)) if its_parent else None


def line_to(message: Message) -> list[Segment]:
    """Return the segments of the line that a message ends, the oldest first."""
    return _up_to(message.chat_session_id, Branch.objects.get(pk=message.branch_id), message.position)


def line_up_to(session_id: UUID, branch_id: UUID, position: int) -> list[Segment]:
    """Return the segments of a branch's line up to and with a position, the oldest first; none where it is gone."""
    branch = Branch.objects.filter(pk=branch_id, chat_session=session_id).first()
    return _up_to(session_id, branch, position) if branch else []


def _up_to(session_id: UUID, branch: Branch, position: int) -> list[Segment]:
    segments = [each for each in _segments(session_id, branch) if each.start <= position]
    return [replace(each, end=min(each.end, position + 1)) for each in reversed(segments)]


def latest(chat_session: ChatSession, limit: int, *, before: int | None = None) -> tuple[list[Message], bool]:
    """Return the last ``limit`` messages (ascending) below position ``before``, and whether there are more."""
    found: list[Message] = []
    bounds = (0, _NO_END if before is None else before)
    for segments in growing(line(chat_session)):
        found += _some(segments, bounds, "DESC", limit + 1 - len(found))
        if len(found) > limit:
            break
    return found[:limit][::-1], len(found) > limit


def following(chat_session: ChatSession, limit: int, *, after: int) -> tuple[list[Message], bool]:
    """Return the first ``limit`` messages (ascending) above position ``after``, and whether there are more."""
    first = min(after + 1, _NO_END)
    return first_of(list(_down_to(chat_session, first))[::-1], limit, first=first)


def first_of(segments: list[Segment], limit: int, *, first: int = 0) -> tuple[list[Message], bool]:
    """Return the first messages of segments (both ascending) from a position on, and whether there are more."""
    found: list[Message] = []
    while segments and len(found) <= limit:
        found += _some(segments[:_SEGMENTS], (first, _NO_END), "ASC", limit + 1 - len(found))
        segments = segments[_SEGMENTS:]
    return found[:limit], len(found) > limit


def growing(segments: Iterator[Segment]) -> Iterator[list[Segment]]:
    """Yield the newest segment, then several together: most lines have one, or have enough in it."""
    size = 1
    while some := list(islice(segments, size)):
        yield some
        size = _SEGMENTS


def _some(segments: list[Segment], bounds: tuple[int, int], order: str, limit: int) -> list[Message]:
    """Return so many rows of these segments together, in order, of positions from one bound to before the other."""
    lowest, end = bounds
    if len(segments) == 1:
        rows = segments[0].messages().filter(position__gte=lowest, position__lt=end)
        return list(rows.order_by("position" if order == "ASC" else "-position")[:limit])
    params = [
        param
        for each in segments
        for param in (each.branch_id, each.session_id, max(each.start, lowest), min(each.end, end), limit)
    ]
    found = plain.rows(" UNION ALL ".join([_SOME.format(order=order)] * len(segments)), params)
    chosen = sorted(found, key=lambda row: row[1], reverse=order == "DESC")[:limit]
    messages = Message.objects.in_bulk([pk for pk, _ in chosen])
    return [messages[pk] for pk, _ in chosen]


def last_of_role(chat_session: ChatSession, role: str, *, before: int | None = None) -> Message | None:
    """Return the last message that a role has said below position ``before``."""
    end = _NO_END if before is None else before
    for segment in line(chat_session):
        rows = segment.messages().filter(role=role, kind=MessageKind.SAID, position__lt=end).order_by("-position")
        if (found := rows.first()) is not None:
            return found
    return None


def values(chat_session: ChatSession, *columns: str, start: int = 0) -> Iterator[tuple[object, ...]]:
    """Yield these columns of the line's rows from position ``start`` on, the oldest first."""
    segments = list(_down_to(chat_session, start))[::-1]
    while segments:
        some = (each.messages().filter(position__gte=start) for each in segments[:_SEGMENTS])
        first, *others = (rows.values_list("position", *columns) for rows in some)
        rows = first.union(*others, all=True) if others else first
        yield from (row[1:] for row in rows.order_by("position"))
        segments = segments[_SEGMENTS:]


def next_position(chat_session: ChatSession) -> int:
    """Return the first free position at the end of the line (under the session's lock).

    Never one before the newest segment, where it would be no part of the line; nor one that is still taken by a row
    which was moved to another session, and is hidden for that.
    """
    newest = 0
    for number, segment in enumerate(line(chat_session)):
        newest = newest if number else segment.start
        for (last,) in plain.rows(_LAST, [segment.branch_id, segment.start, segment.end]):
            return max(int(last) + 1, newest)
    return newest


def is_shown(chat_session: ChatSession, message: Message) -> bool:
    """Tell whether a message is part of the active line."""
    return any(segment.has(message) for segment in _down_to(chat_session, message.position))


def place_of(chat_session: ChatSession, message: Message) -> int:
    """Return the position at which another line begins that has something in the place of a message of this one.

    A note belongs to the message that it was made for: that line begins before it, and gets one of its own.
    """
    [*before], _ = latest(chat_session, 1, before=message.position)
    has_note = before and (before[0].branch_id, before[0].kind) == (message.branch_id, MessageKind.NOTE)
    return before[0].position if has_note else message.position


def _down_to(chat_session: ChatSession, position: int) -> Iterable[Segment]:
    for segment in line(chat_session):
        yield segment
        if segment.start <= position:
            return


def start(chat_session: ChatSession, position: int) -> None:
    """Begin another line at a position of the active one: the new branch is empty, and the active one from here on.

    The caller holds the session's lock. Where the active branch itself begins at that position, the new branch becomes
    its sibling, not its child.
    """
    *_, segment = _down_to(chat_session, position)
    parent_id = segment.branch_id
    if segment.start == position:
        begins_there = Branch.objects.get(pk=segment.branch_id)
        parent_id = begins_there.parent_id or parent_id
    branch = Branch(pk=uuid4(), chat_session=chat_session, parent_id=parent_id, fork_position=position)
    branch.save(force_insert=True)
    activate(chat_session, branch)


def continuation(message: Message) -> Branch:
    """Return the branch that a message's line goes on in: of several, the one with the newest row."""
    session_id = message.chat_session_id
    found = plain.rows(_CONTINUATIONS, [message.branch_id, session_id, message.position, session_id])
    newest, _ = max(found, key=lambda row: row[1] or 0)
    return Branch.objects.get(pk=UUID(str(newest)))


def activate(chat_session: ChatSession, branch: Branch) -> None:
    """Make a branch the session's active one. The caller holds the session's lock."""
    chat_session.active_branch = branch
    ChatSession.objects.filter(pk=chat_session.pk).update(active_branch=branch)
