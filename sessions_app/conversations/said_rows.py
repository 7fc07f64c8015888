"""What was said in a line, as a program sees it: without tools' results, summaries and blank texts, answers whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from sessions_app.conversations import branches
from sessions_app.conversations.branches import Segment
from sessions_app.conversations.line_digests import Said, joined
from sessions_app.models import ChatSession, Message, MessageKind, MessageRole

_Row = tuple[int, str, str]


def trimmed(said: Iterable[Said]) -> list[Said]:
    """Return what was said as it is compared: without blanks at the ends of texts."""
    return [Said(each.role, each.text.strip()) for each in said]


def said_up_to(message: Message) -> list[Said]:
    """Return what was said up to and with a message, trimmed."""
    return _said(_rows(branches.line_to(message)))


def shared_beginning(chat_session: ChatSession, said: Sequence[Said]) -> tuple[Message | None, int]:
    """Return how much of ``said`` (trimmed) the active line begins with, and the last message of that."""
    last: int | None = None
    count = 0
    for some in _each_said(_rows(list(branches.line(chat_session))[::-1])):
        if list(said[count : count + 1]) != _said(some):
            break
        (last, _, _), count = some[-1], count + 1
    return Message.objects.get(pk=last) if last is not None else None, count


def said_after(chat_session: ChatSession, position: int) -> bool:
    """Tell whether the active line has more that was said behind a position."""
    while following := branches.following(chat_session, 1, after=position)[0]:
        if following[0].kind == MessageKind.SAID:
            return True
        position = following[0].position
    return False


def _rows(segments: Iterable[Segment]) -> Iterator[_Row]:
    """Yield key, role and text of what was said in these segments, in order."""
    for segment in segments:
        rows = segment.messages().filter(kind=MessageKind.SAID).exclude(role=MessageRole.TOOL)
        # Without model objects, which take four times as long.
        yield from (row for row in rows.order_by("position").values_list("pk", "role", "text") if row[2].strip())


def _each_said(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """Yield the rows of each thing that was said: of a whole answer together."""
    for role, run in groupby(rows, key=lambda row: row[1]):
        some = list(run)
        yield from [some] if role == MessageRole.ASSISTANT else [[row] for row in some]


def _said(rows: Iterable[_Row]) -> list[Said]:
    return trimmed(joined((role, text) for _, role, text in rows))
