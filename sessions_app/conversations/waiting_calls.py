"""Calls that wait for a result from outside of the host: which they are, and when they no longer do.

A call waits while its row is there *and* its answer is the end of its session's line: then a result can stand right
behind it, where providers want it. So what another program appends, cuts off or moves needs no care here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sessions_app.conversations import branches
from sessions_app.conversations.schemas import MessageShape
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import ToolCall, tool_calls, tool_results
from sessions_app.models import ChatSession, Message, MessageRole, WaitingCall, WaitingKind

# Rows behind an answer that are looked at together: results of its other tools.
_ROWS_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """The answer at the end of a line, and those of its calls that wait, in their order.

    ``calls`` for results of the client, ``asked`` for a person's approval.
    """

    answer: Message
    calls: tuple[ToolCall, ...]
    asked: tuple[ToolCall, ...] = ()


def at_end(chat_session: ChatSession) -> Waiting | None:
    """Return what waits at the end of a session's line; None where nothing does. Under the session's lock."""
    if not chat_session.client_tools and not chat_session.asks_approval:
        return None
    answered: set[str] = set()
    before: int | None = None
    while rows := branches.latest(chat_session, _ROWS_AT_ONCE, before=before)[0]:
        for row in reversed(rows):
            if row.role != MessageRole.TOOL:
                return _of(row, answered)
            answered |= {result.id for result in tool_results(known(row.parts))}
        before = rows[0].position
    return None


def _of(answer: Message, answered: set[str]) -> Waiting | None:
    if answer.role != MessageRole.ASSISTANT:
        return None
    kinds = dict(WaitingCall.objects.filter(message=answer.pk).values_list("tool_call_id", "kind"))
    calls = [call for call in tool_calls(known(answer.parts)) if call.id in kinds and call.id not in answered]
    clients = tuple(call for call in calls if kinds[call.id] == WaitingKind.CLIENT)
    asked = tuple(call for call in calls if kinds[call.id] == WaitingKind.APPROVAL)
    return Waiting(answer, clients, asked) if calls else None


def store(answer: Message, call_ids: Iterable[str], kind: WaitingKind) -> None:
    """Have these calls of an answer wait, in the transaction that stores it."""
    rows = [
        WaitingCall(
            owner_id=answer.owner_id,
            chat_session_id=answer.chat_session_id,
            message=answer,
            tool_call_id=call_id,
            kind=kind,
        )
        for call_id in call_ids
    ]
    WaitingCall.objects.bulk_create(rows)


def forget(answer_id: int, kind: WaitingKind) -> None:
    """Have calls of an answer (by its primary key) wait no more: they have results, or something else was said."""
    WaitingCall.objects.filter(message=answer_id, kind=kind).delete()


def abandon(chat_session: ChatSession) -> None:
    """Have no client be waited for at the end of a line: a person goes on without. Under the session's lock."""
    if (waiting := at_end(chat_session)) is not None:
        forget(waiting.answer.pk, WaitingKind.CLIENT)


def ids_of(messages: Sequence[Message]) -> Mapping[int, set[str]]:
    """Return the ids of the calls of each message that wait for the client, by its primary key."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = WaitingCall.objects.filter(message__in=[message.pk for message in messages], kind=WaitingKind.CLIENT)
    for pk, call_id in rows.values_list("message_id", "tool_call_id"):
        found[pk].add(call_id)
    return found


def shown(shape: MessageShape, waiting: Iterable[str]) -> MessageShape:
    """Return an answer's shape whose calls with these ids say that they wait."""
    ids = set(waiting)
    calls = [call.model_copy(update={"waits": call.id in ids}) for call in shape.tool_calls or ()]
    return shape.model_copy(update={"tool_calls": calls or None})
