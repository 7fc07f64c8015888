"""What the messages of a thread say, and whether a provider could take it in this order."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from uuid import UUID

from sessions_app.conversations.line_digests import Said, said_by
from sessions_app.errors import BadInput
from sessions_app.llm.content.codec import known
from sessions_app.models import Message, MessageRole
from sessions_app.turn_store.thread_history import ThreadMessage, answer_of


def said_of(messages: Sequence[ThreadMessage]) -> tuple[tuple[Said, ...], dict[str, UUID]]:
    """Return what new messages say, with ids of their own, and the client's strings for these; not what is blank."""
    said, names = [], {}
    for each in messages:
        one = Said(each.role, each.text, each.calls, each.call_id, each.files, uuid.uuid4())
        if one.id is not None and (not one.is_blank or each.role == MessageRole.TOOL):
            names[each.id] = one.id
            said.append(one)
    return tuple(said), names


def known_said(last: Message) -> tuple[Said, ...]:
    """Return the end of what is known: a message, and of a result of the client's tool the answer that called it too.

    What the host's tools have brought is part of their answer.
    """
    own = said_by(last.role, last.kind, last.text, known(last.parts))
    answer = answer_of(last)
    if own is not None and own.role != MessageRole.TOOL:
        return (own,)
    calls = said_by(answer.role, answer.kind, answer.text, known(answer.parts)) if answer is not None else None
    return (calls or Said(MessageRole.ASSISTANT, ""), *([own] if own else []))


def check_order(before: Sequence[Said], answered: Sequence[str], new: Sequence[Said]) -> None:
    """Make sure that what is new can follow: results behind their calls, and in the end something to answer.

    ``answered`` are the calls of the answer in ``before`` that have their results. Raises BadInput.
    """
    waiting = {call.id for each in before[:1] for call in each.calls} - set(answered)
    may_lack = True  # whoever says something instead of a known call's result goes on without
    for each in new:
        if each.role == MessageRole.TOOL:
            if each.call_id not in waiting:
                raise BadInput(f"No call waits for the result {each.call_id[:100]!r}.", tool_call_id=each.call_id[:100])
            waiting.remove(each.call_id)
            continue
        if waiting and not may_lack:
            raise _lacking(waiting)
        waiting, may_lack = {call.id for call in each.calls}, False
    if not new or new[-1].role == MessageRole.ASSISTANT:
        raise BadInput("The last message must be a user's with a text, or a tool's.")
    if waiting:
        raise _lacking(waiting)


def _lacking(calls: set[str]) -> BadInput:
    missing = sorted(calls)
    told = f"Each call of the client's tools needs a result behind it; there is none for {', '.join(missing)[:500]}."
    return BadInput(told, missing=missing[:100])
