"""What is stored of responses and conversations, read for a program: one database hop each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Any
from uuid import UUID

from sessions_app.conversations import access, approvals, branches
from sessions_app.conversations.turn_results import interrupted
from sessions_app.errors import NotFound
from sessions_app.models import Branch, ChatSession, Message, MessageKind, MessageRole, Turn, TurnStatus
from sessions_app.openai_api.ids import conversation_id, message_item_id, message_of
from sessions_app.openai_api.items import IN_PROGRESS, Item, answer_item, items_of
from sessions_app.openai_api.response_objects import response_of

# Rows that are read together.
_ROWS_AT_ONCE = 50


class NoItem(Exception):
    """There is no item of the id after which a list was to begin."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which items of a list are asked for: so many ``after`` one."""

    limit: int
    newest_first: bool
    after: str | None = None


def response(user_id: int, run_id: UUID, *, even_temporary: bool = False) -> dict[str, Any]:
    """Return a response as it stands now. Raises NotFound."""
    turn = access.response_turn(user_id, run_id, even_temporary=even_temporary)
    rows = answers(turn)
    output = [item for row in rows for item in items_of(row)]
    if turn.status == TurnStatus.RUNNING and turn.checkpoint.strip():
        output.append(answer_item(message_item_id(turn.answer_id), turn.checkpoint, IN_PROGRESS))
    asked = approvals.asked_by([turn.pk])[turn.pk] if turn.ended_at else ()
    awaited = interrupted(asked).model_dump(by_alias=True, exclude_none=True)["interrupts"] if asked else None
    told = response_of(turn, output, rows[-1].finish if rows else "")
    return told | {"interrupts": awaited} if awaited else told


def answers(turn: Turn) -> list[Message]:
    """Return the rows that a turn has brought of its model, in order."""
    return list(turn.messages.filter(role=MessageRole.ASSISTANT, kind=MessageKind.SAID).order_by("position"))


def conversation(user_id: int, session_id: UUID) -> dict[str, Any]:
    """Return a conversation. Raises NotFound."""
    return conversation_of(_session(user_id, session_id))


def conversation_of(chat_session: ChatSession) -> dict[str, Any]:
    """Return the conversation that a session is."""
    return {
        "id": conversation_id(chat_session.pk),
        "object": "conversation",
        "created_at": int(chat_session.created_at.timestamp()),
        "metadata": chat_session.metadata if isinstance(chat_session.metadata, dict) else {},
    }


def conversation_items(user_id: int, session_id: UUID, page: Page) -> dict[str, Any]:
    """Return items of the line that a session shows. Raises NotFound, NoItem."""
    return _listing(_session(user_id, session_id), None, page)


def input_items(user_id: int, run_id: UUID, page: Page) -> dict[str, Any]:
    """Return items of what a response was made of: the line before what its model has said. Raises NotFound, NoItem."""
    turn = access.response_turn(user_id, run_id)
    first = next(iter(answers(turn)), None)
    last = first or turn.messages.order_by("position").last() or _asked(turn)
    if last is None:
        return _page([], page)
    chat_session = _session(user_id, turn.chat_session_id)
    chat_session.active_branch = Branch.objects.get(pk=last.branch_id)
    return _listing(chat_session, last.position - bool(first), page)


def _asked(turn: Turn) -> Message | None:
    """Return the user's message that a turn answers."""
    return Message.objects.filter(
        owner=turn.owner_id, public_id=turn.message_id, chat_session=turn.chat_session
    ).first()


def _session(user_id: int, session_id: UUID) -> ChatSession:
    chat_session = access.chat_session(user_id, session_id)
    if chat_session.temporary:
        raise NotFound
    return chat_session


def _listing(chat_session: ChatSession, last: int | None, page: Page) -> dict[str, Any]:
    """Return a page of the items of the active line up to a position."""
    place = _place_of(chat_session, page.after) if page.after else None
    rows = _backwards(chat_session, last, place) if page.newest_first else _forwards(chat_session, last, place)
    step = -1 if page.newest_first else 1
    items: Iterator[Item] = (item for row in rows for item in list(items_of(row))[::step])
    if page.after:
        items = islice(dropwhile(lambda item: item["id"] != page.after, items), 1, None)
    return _page(list(islice(items, page.limit + 1)), page)


def _page(items: list[Item], page: Page) -> dict[str, Any]:
    data = items[: page.limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else "",
        "last_id": data[-1]["id"] if data else "",
        "has_more": len(items) > page.limit,
    }


def _place_of(chat_session: ChatSession, item_id: str) -> int:
    """Return the position of the message that an item is of. Raises NoItem."""
    if (message_id := message_of(item_id)) is None:
        raise NoItem
    own = Message.objects.filter(owner=chat_session.owner_id, chat_session=chat_session.pk)
    found = own.filter(public_id=message_id).first()
    if found is None or item_id not in [item["id"] for item in items_of(found)]:
        raise NoItem
    return found.position


def _backwards(chat_session: ChatSession, last: int | None, place: int | None) -> Iterator[Message]:
    """Yield rows from a place back to the beginning; without one from the last position, or the end."""
    before, has_more = min((each + 1 for each in (last, place) if each is not None), default=None), True
    while has_more:
        rows, has_more = branches.latest(chat_session, _ROWS_AT_ONCE, before=before)
        yield from rows[::-1]
        before = rows[0].position if rows else 0


def _forwards(chat_session: ChatSession, last: int | None, place: int | None) -> Iterator[Message]:
    """Yield rows from a place, or the beginning, to the last position, or the end."""
    after, has_more = (place or 0) - 1, True
    while has_more:
        rows, has_more = branches.following(chat_session, _ROWS_AT_ONCE, after=after)
        for row in rows:
            if last is not None and row.position > last:
                return
            yield row
            after = row.position
