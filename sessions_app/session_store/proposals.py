"""A person's word on what a model has proposed to remember.

What was proposed is the call of the tool, in the transcript: so it is there after a reload, in every tab, and goes with
its chat. The decision is stored once, and tells what was decided.
"""

from __future__ import annotations

import json
from contextlib import suppress
from uuid import UUID

from sessions_app.conversations import access
from sessions_app.conversations.memory_schemas import MemoryShape
from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.schemas import MessageShape, proposes
from sessions_app.errors import Conflict, WrongKind
from sessions_app.journal import Fact, record
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.memory import one_line
from sessions_app.llm.content.parts import tool_calls, tool_results
from sessions_app.models import FactName, MemoryDecision, Message, MessageRole
from sessions_app.session_store import memory


def decide(user_id: int, message_id: UUID, save: bool) -> tuple[MessageShape, MemoryShape | None]:
    """Save what the result of a call has proposed, or refuse it; return that message, and the memory where it is saved.

    The same word again changes nothing. Raises NotFound, WrongKind (nothing was proposed), Conflict (another word was
    given), TooMany.
    """
    access.require_user(user_id)
    message = access.message(user_id, message_id)
    text = _proposed_by(message)
    before = MemoryDecision.objects.filter(message=message).first()
    if before is not None and before.saved != save:
        raise Conflict("You have decided on this before.", saved=before.saved)
    kept = memory.add(user_id, text) if save and before is None else None
    if before is None:
        MemoryDecision.objects.create(message=message, saved=save)
    [shape] = message_shapes([message])
    record(Fact(user_id, FactName.MESSAGE_UPDATED, message.chat_session_id, message.public_id, shape))
    return shape, kept


def _proposed_by(message: Message) -> str:
    """Return the text that a call has proposed, whose result a message is. Raises WrongKind."""
    calls = Message.objects.filter(
        branch=message.branch_id, position__lt=message.position, role=MessageRole.ASSISTANT
    ).order_by("-position")
    answer = calls.first() if proposes(message) else None
    ids = {result.id for result in tool_results(known(message.parts))}
    for call in tool_calls(known(answer.parts)) if answer is not None else ():
        if call.id in ids:
            with suppress(ValueError, KeyError, TypeError):  # another program may have written anything
                return one_line(str(json.loads(call.arguments)["text"]))
    raise WrongKind("This message has proposed nothing to be remembered.")
