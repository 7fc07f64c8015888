"""Calls that wait for a person's approval: which they are, and what they look like to clients.

An approval waits while its row says so, and its call is one that waits at the end of its session's line
(``waiting_calls``). ``turn_store.approving`` and ``turn_store.deciding`` change them.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from sessions_app.conversations import waiting_calls
from sessions_app.conversations.approval_schemas import ApprovalShape
from sessions_app.conversations.schemas import MessageShape
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import ToolCall, tool_calls
from sessions_app.models import Approval, ChatSession, Decision, Message, StandingApproval, ToolServerTool
from sessions_app.models.approvals import MAX_TOOL_NAME


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A call that a person is asked about; ``id`` is the approval's, ``digest`` that of the tool and the arguments."""

    id: UUID
    tool_call_id: str
    tool: str
    digest: str


@dataclass(frozen=True, slots=True)
class WaitingApproval:
    """An approval that waits, with its call as it is stored."""

    approval: Approval
    call: ToolCall

    @property
    def is_as_asked(self) -> bool:
        """Whether the call still is the one that the person was shown: no other program has changed it."""
        return digest_of(self.call) == self.approval.arguments_digest


def asked(call: ToolCall) -> AskedCall:
    """Return a call as it is asked about, with the id of a new approval."""
    return AskedCall(uuid.uuid4(), call.id, call.name[:MAX_TOOL_NAME], digest_of(call))


def asked_again(row: Approval) -> AskedCall:
    """Return a call that a person is asked about already."""
    return AskedCall(row.public_id, row.tool_call_id, row.tool, row.arguments_digest)


def digest_of(call: ToolCall) -> str:
    """Return the digest of what a person approves: the tool, and the arguments as the model has written them."""
    return hashlib.sha256(f"{call.name}\0{call.arguments}".encode()).hexdigest()


def at_end(chat_session: ChatSession) -> list[WaitingApproval]:
    """Return the approvals that wait at the end of a session's line, in the order of their calls."""
    waiting = waiting_calls.at_end(chat_session) if chat_session.asks_approval else None
    if waiting is None or not waiting.asked:
        return []
    rows = Approval.objects.filter(message=waiting.answer.pk, decision=Decision.WAITING).select_related("turn")
    by_call = {row.tool_call_id: row for row in rows}
    return [WaitingApproval(by_call[call.id], call) for call in waiting.asked if call.id in by_call]


def are_waiting(chat_session: ChatSession) -> bool:
    """Tell whether a person is waited for at the end of a session's line."""
    return bool(at_end(chat_session))


def standing(session_id: UUID, tools: Collection[str]) -> frozenset[str]:
    """Return those of these tools whose calls were approved in a session once and for all.

    A tool that has come since, of another server, under the same name, is another one.
    """
    rows = StandingApproval.objects.filter(chat_session=session_id, tool__in=tools).exclude(_is_of_later_tool())
    return frozenset(rows.values_list("tool", flat=True))


def _is_of_later_tool() -> Exists:
    """Whether the tool that has a row's name now belongs to a server that was added after the row was made."""
    later = ToolServerTool.objects.filter(full_name=OuterRef("tool"), server__created_at__gt=OuterRef("created_at"))
    return Exists(later)


def of_later_tools(approvals: Iterable[Approval]) -> set[int]:
    """Return the primary keys of those of these approvals that were asked for another tool than has the name now."""
    rows = Approval.objects.filter(_is_of_later_tool(), pk__in=[approval.pk for approval in approvals])
    return set(rows.values_list("pk", flat=True))


def waiting_shapes(chat_session: ChatSession) -> list[ApprovalShape]:
    """Return the shapes of the approvals that wait at the end of a session's line."""
    return [shape_of(waiting.approval, waiting.call) for waiting in at_end(chat_session)]


def shape_of(approval: Approval, call: ToolCall) -> ApprovalShape:
    """Return the shape of an approval whose turn is loaded, with its call."""
    decided = approval.decision != Decision.WAITING
    return ApprovalShape(
        id=approval.public_id,
        session_id=approval.chat_session_id,
        run_id=approval.turn.run_id,
        tool_call_id=approval.tool_call_id,
        tool=approval.tool,
        arguments=call.arguments,
        decision=approval.decision if decided else None,
        note=approval.note or None,
        always=approval.always,
    )


def shapes_of(approvals: Sequence[Approval]) -> dict[UUID, ApprovalShape]:
    """Return the shapes of approvals whose turns are loaded, by public id; none where the call is gone."""
    messages = Message.objects.in_bulk([approval.message_id for approval in approvals])
    shapes = {}
    for approval in approvals:
        message = messages.get(approval.message_id)
        calls = tool_calls(known(message.parts)) if message else ()
        if (call := next((call for call in calls if call.id == approval.tool_call_id), None)) is not None:
            shapes[approval.public_id] = shape_of(approval, call)
    return shapes


def shown(shape: MessageShape, decisions: Mapping[str, dict[str, Any]]) -> MessageShape:
    """Return an answer's shape whose calls say how they stand, by their ids."""
    calls = [call.model_copy(update=decisions.get(call.id, {})) for call in shape.tool_calls or ()]
    return shape.model_copy(update={"tool_calls": calls or None})


def asked_by(turn_ids: Iterable[int]) -> Mapping[int, tuple[AskedCall, ...]]:
    """Return the calls that each of these turns has ended to ask about, by the turn's primary key."""
    found: dict[int, tuple[AskedCall, ...]] = defaultdict(tuple)
    for row in Approval.objects.filter(turn__in=list(turn_ids)).order_by("pk"):
        found[row.turn_id] += (asked_again(row),)
    return found


def decisions_of(messages: Iterable[Message]) -> Mapping[int, dict[str, dict[str, Any]]]:
    """Return what shapes say of the calls that a person was asked about, by the message's primary key and the call."""
    found: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    rows = Approval.objects.filter(message__in=[message.pk for message in messages])
    for row in rows.only("message_id", "tool_call_id", "decision", "note", "always"):
        said = {"approval": row.decision, "note": row.note or None, "always": row.always}
        found[row.message_id][row.tool_call_id] = said
    return found
