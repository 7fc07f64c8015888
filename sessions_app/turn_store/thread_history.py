"""What of the messages that a client has sent is known in their thread, which is a session: by the messages' ids.

A message is known by its public id, or by the client's own string for it, which is kept when the message is stored.
What is stored is the truth: of what is known only the contents are compared. A client may have heard less of an answer
than is stored, or more (its process has died), so of those one must be the beginning of the other; results that are
JSON are compared as such.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db.models import Case, F, When

from sessions_app.conversations import branches
from sessions_app.conversations.line_digests import SaidFile, files_in
from sessions_app.errors import Conflict
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import ToolCall, tool_results
from sessions_app.models import ChatSession, Message, MessageKind, MessageName, MessageRole, Turn, TurnStatus

T = TypeVar("T")

_IDS_AT_ONCE = 500
# That a turn can have stored: each of its steps, with results of tools.
_ROWS_OF_ANSWER = 200


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One message as a client has sent it: ``id`` is the client's string.

    ``calls`` are those of an answer, ``call_id`` says which call a result is of, ``files`` are those of the user's.
    """

    id: str
    role: str
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    files: tuple[SaidFile, ...] = ()


class Known(NamedTuple):
    """A stored message: not as a model object, which takes four times as long."""

    pk: int
    role: str
    text: str
    files: tuple[SaidFile, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The messages of a request: up to ``last``, the last one that is stored, they are known; ``new`` are not.

    ``turn`` is the one that is alive and that the known ones end with: its answer so far, or its waiting message.
    ``answered`` are the calls whose results the known ones end with. ``is_exact``: the client has of all the rows that
    it names what they say.
    """

    last: Message | None
    turn: Turn | None
    new: tuple[ThreadMessage, ...]
    answered: tuple[str, ...]
    is_exact: bool


def history_of(chat_session: ChatSession, sent: Sequence[ThreadMessage]) -> History:
    """Return what of the messages sent is known, and what is new. Raises Conflict where they contradict the rows."""
    ids = _public_ids(chat_session, [each.id for each in sent])
    stored = _stored(chat_session, ids.values())
    alive = _alive(chat_session)
    last: Known | None = None
    turn: Turn | None = None
    new: list[ThreadMessage] = []
    answered: list[str] = []
    is_exact = True
    for each in sent:
        known_id = ids.get(each.id)
        if known_id is None or (known_id not in stored and known_id not in alive):
            new.append(each)
            continue
        if any(before.role == MessageRole.USER for before in new):
            raise Conflict("A message was added before one that is known here. Leave out what came after it.")
        row, turn = stored.get(known_id), alive.get(known_id)
        _check(each, row, turn)
        is_exact = is_exact and (row is None or row.text.strip() == each.text.strip())
        if each.role == MessageRole.TOOL:
            answered.append(each.call_id)
        else:
            answered = []
        last, new = row or last, []
    message = Message.objects.get(pk=last.pk) if last is not None else None
    if message is not None and turn is None and new and new[0].role != MessageRole.USER:
        message, new = _behind_answer(chat_session, message, new)
    return History(message, turn, tuple(new), tuple(answered), is_exact)


def _behind_answer(
    chat_session: ChatSession, last: Message, new: list[ThreadMessage]
) -> tuple[Message, list[ThreadMessage]]:
    """Return what is known last and what is new, where the client has ids of its own for what was answered there.

    It is known by what it says: the answers as one text, without blanks, and each result.
    """
    rows = list(_answers_behind(chat_session, last))
    results = {result.id: row.text for row in rows for result in tool_results(known(row.parts))}
    theirs = list(takewhile(lambda each: _is_answered(each, results), new))
    if not rows or not theirs:
        return last, new
    said = [row.text for row in rows if row.role == MessageRole.ASSISTANT]
    heard = [each.text for each in theirs if each.role == MessageRole.ASSISTANT]
    if not _one_begins_the_other(_unspaced(said), _unspaced(heard)):
        return last, new
    return rows[-1], new[len(theirs) :]


def _answers_behind(chat_session: ChatSession, last: Message) -> Iterator[Message]:
    """Yield what was answered behind a message of the line that is shown, up to what the user has said next."""
    if not branches.is_shown(chat_session, last):
        return
    for row in branches.following(chat_session, _ROWS_OF_ANSWER, after=last.position)[0]:
        if row.kind == MessageKind.SAID and row.role == MessageRole.USER:
            return
        if row.kind == MessageKind.SAID:
            yield row


def _is_answered(each: ThreadMessage, results: Mapping[str, str]) -> bool:
    if each.role == MessageRole.TOOL:
        return each.call_id in results and _agree(each, results[each.call_id])
    return each.role == MessageRole.ASSISTANT


def _unspaced(texts: Iterable[str]) -> str:
    return "".join("".join(texts).split())


def answer_of(message: Message) -> Message | None:
    """Return the answer that a stored message is, or a result of; None for any other."""
    if message.role != MessageRole.TOOL:
        return message if message.role == MessageRole.ASSISTANT else None
    for segment in reversed(branches.line_to(message)):
        rows = segment.messages().filter(role=MessageRole.ASSISTANT, kind=MessageKind.SAID)
        if (found := rows.order_by("-position").first()) is not None:
            return found
    return None


def name_messages(chat_session: ChatSession, names: Mapping[str, UUID]) -> None:
    """Keep what a client calls messages of a session."""
    rows = [MessageName(chat_session=chat_session, name=name, message_id=each) for name, each in names.items()]
    MessageName.objects.bulk_create(
        rows,
        batch_size=_IDS_AT_ONCE,
        update_conflicts=True,  # of a message that was withdrawn before it was stored
        unique_fields=["chat_session", "name"],
        update_fields=["message_id"],
    )


def names_of(session_id: UUID) -> dict[UUID, str]:
    """Return what clients call a session's messages, by their ids."""
    rows = MessageName.objects.filter(chat_session=session_id).order_by("pk")
    return dict(rows.values_list("message_id", "name"))


def canonical(text: str) -> UUID | None:
    """Return the UUID that a string spells as UUIDs are spelt here, None for any other string."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def _public_ids(chat_session: ChatSession, sent: Sequence[str]) -> dict[str, UUID]:
    """Return the public ids that the strings stand for, as far as they may stand for one."""
    ids = {each: found for each in sent if (found := canonical(each))}
    for some in _portions(sent):
        names = MessageName.objects.filter(chat_session=chat_session, name__in=some)
        ids |= dict(names.values_list("name", "message_id"))
    return ids


def _portions(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]


def _stored(chat_session: ChatSession, ids: Iterable[UUID]) -> dict[UUID, Known]:
    found: dict[UUID, Known] = {}
    for some in _portions(list(ids)):
        rows = Message.objects.filter(owner=chat_session.owner_id, public_id__in=some, chat_session=chat_session)
        told = rows.annotate(told=Case(When(role=MessageRole.USER, then=F("parts"))))
        for public_id, pk, role, text, parts in told.values_list("public_id", "pk", "role", "text", "told"):
            found[public_id] = Known(pk, role, text, files_in(known(parts)))
    return found


def _alive(chat_session: ChatSession) -> dict[UUID, Turn]:
    return dict(_ids_alive(chat_session.turns.filter(status__in=[TurnStatus.QUEUED, TurnStatus.RUNNING])))


def _ids_alive(turns: Iterable[Turn]) -> Iterator[tuple[UUID, Turn]]:
    """Yield what has no row yet of turns that are alive: the message of one that waits, the answer of one that runs."""
    for turn in turns:
        yield (turn.answer_id if turn.status == TurnStatus.RUNNING else turn.message_id), turn


def _check(sent: ThreadMessage, row: Known | None, turn: Turn | None) -> None:
    """Make sure that a known message says the same. Raises Conflict."""
    if row is not None:
        agrees = row.role == sent.role and row.files == sent.files and _agree(sent, row.text)
    elif turn is not None and turn.status == TurnStatus.QUEUED:
        agrees = files_in(known(turn.parts)) == sent.files and _agree(sent, turn.text)
    else:
        agrees = sent.role != MessageRole.USER
    if not agrees:
        raise Conflict("A message that is known here says something else.", message_id=sent.id)


def _agree(sent: ThreadMessage, text: str) -> bool:
    ours, theirs = text.strip(), sent.text.strip()
    if sent.role == MessageRole.USER:
        return ours == theirs
    return _one_begins_the_other(ours, theirs) or (sent.role == MessageRole.TOOL and _value(ours) == _value(theirs))


def _one_begins_the_other(ours: str, theirs: str) -> bool:
    return ours.startswith(theirs) or theirs.startswith(ours)


def _value(text: str) -> Any:
    """Return what a tool's result says as JSON, which clients write anew; a text that is none stands for itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
