"""What was said in a line, as a program sees it: without what the host's tools did, summaries and blank texts, answers
whole, with the calls of the program's own tools and their results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Case, F, When

from sessions_app.conversations import branches
from sessions_app.conversations.branches import Segment
from sessions_app.conversations.line_digests import Said, grouped, joined, said_by, whole
from sessions_app.llm.content.codec import known
from sessions_app.models import ChatSession, Message, MessageKind, MessageRole

_Row = tuple[int, Said]
# Results of an answer's tools that are looked at together.
_ROWS_AT_ONCE = 20


def trimmed(said: Iterable[Said]) -> list[Said]:
    """Return what was said as it is compared."""
    return [each.compared for each in said]


def said_up_to(chat_session: ChatSession, message: Message) -> list[Said]:
    """Return what was said in a session up to and with a message, trimmed."""
    return trimmed(joined(said for _, said in _rows(chat_session, branches.line_to(message))))


def shared_beginning(chat_session: ChatSession, said: Sequence[Said]) -> tuple[Message | None, int]:
    """Return how much of ``said`` (trimmed) the active line begins with, and the last message of that."""
    last: int | None = None
    count = 0
    for some in grouped(_rows(chat_session, list(branches.line(chat_session))[::-1]), lambda row: row[1]):
        if list(said[count : count + 1]) != [whole([each for _, each in some]).compared]:
            break
        (last, _), count = some[-1], count + 1
    return Message.objects.get(pk=last) if last is not None else None, count


def said_after(chat_session: ChatSession, position: int) -> bool:
    """Tell whether the active line has more that was said behind a position."""
    while following := branches.following(chat_session, 1, after=position)[0]:
        if following[0].kind == MessageKind.SAID and not is_own_result(following[0]):
            return True
        position = following[0].position
    return False


def with_own_results(chat_session: ChatSession, message: Message) -> Message:
    """Return a message of the active line, or the last of the results of the host's tools that follow it."""
    while rows := branches.following(chat_session, _ROWS_AT_ONCE, after=message.position)[0]:
        for row in rows:
            if not is_own_result(row):
                return message
            message = row
    return message


def is_own_result(row: Message) -> bool:
    """Tell whether a row is a result of the host's own tools, which no program sees."""
    return row.role == MessageRole.TOOL and said_by(row.role, row.kind, row.text, known(row.parts)) is None


def _rows(chat_session: ChatSession, segments: Iterable[Segment]) -> Iterator[_Row]:
    """Yield key of each row that says something in these segments, in order, and what it says."""
    # Of other sessions' answers the text alone is enough: what a user says may have files.
    has_tools = bool(chat_session.client_tools)
    parts_of_users = Case(When(role=MessageRole.USER, then=F("parts")))
    for segment in segments:
        rows = segment.messages().filter(kind=MessageKind.SAID)
        if not has_tools:
            rows = rows.exclude(role=MessageRole.TOOL)
        # Without model objects, which take four times as long.
        told = rows.annotate(told=F("parts") if has_tools else parts_of_users).order_by("position")
        for pk, role, text, parts in told.values_list("pk", "role", "text", "told"):
            if (said := said_by(role, MessageKind.SAID, text, known(parts))) is not None:
                yield pk, said
