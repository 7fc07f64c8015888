"""What becomes of approvals in the database: asked for, refused, and what came of a call that was approved.

An approved call is marked as begun, in a committed transaction under its turn's fence, before it is made; its result is
stored as soon as it is there. So a call that is marked and has no result when its turn ends, however it ends, may have
been carried out: nobody knows, and nobody makes it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models.functions import Now

from sessions_app.conversations import access, approvals, lost_calls, transcript, waiting_calls
from sessions_app.conversations.approvals import AskedCall, WaitingApproval
from sessions_app.conversations.transcript import NewMessage
from sessions_app.journal import Fact, record
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import ToolCall, tool_calls, tool_results
from sessions_app.models import (
    Approval,
    CallState,
    ChatSession,
    Decision,
    FactName,
    Message,
    MessageRole,
    Turn,
    WaitingKind,
)
from sessions_app.tool_servers.permitted import FORBIDDEN, forbidden

REFUSED = "The user did not approve this call. It was not made."
NOT_ANSWERED = f"{REFUSED} They have said something else instead."
NOT_MADE = "This call was approved, but it was not made: the answer was ended before."
REPLACED = "The tool that the user has approved is another one now. The call was not made."
NOT_PERMITTED = f"The call was not made: {FORBIDDEN}"
NOT_OFFERED = "The model of the chat is no longer offered to the user. The call was not made."
CHANGED = "This call was changed after the user had approved it. It was not made."


@dataclass(frozen=True, slots=True)
class ApprovedCall:
    """A call that is to be made; ``approval_id`` is the approval's primary key.

    ``obstacle`` says why it must not be made after all, empty where nothing is in the way.
    """

    approval_id: int
    call: ToolCall
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a turn goes on with: the calls to be made, and what is waited for all the same.

    It can go on only where nothing is: ``asked`` for a person, ``awaits_client`` for results of the client. ``refused``
    are the results of the calls that were refused, as they are stored.
    """

    calls: tuple[ApprovedCall, ...]
    refused: tuple[Message, ...]
    asked: tuple[AskedCall, ...]
    awaits_client: bool

    @property
    def is_complete(self) -> bool:
        """Whether each call has its result, once the calls to be made are made."""
        return not self.asked and not self.awaits_client


def request(chat_session: ChatSession, turn: Turn, answer: Message, asked: Sequence[AskedCall]) -> None:
    """Have these calls of an answer wait for a person, in the transaction that stores it and ends its turn."""
    rows = [
        Approval(
            public_id=each.id,
            owner_id=turn.owner_id,
            chat_session=chat_session,
            turn=turn,
            message=answer,
            tool_call_id=each.tool_call_id,
            tool=each.tool,
            arguments_digest=each.digest,
        )
        for each in asked
    ]
    Approval.objects.bulk_create(rows)
    waiting_calls.store(answer, [each.tool_call_id for each in asked], WaitingKind.APPROVAL)
    if not chat_session.asks_approval:
        chat_session.asks_approval = True
        ChatSession.objects.filter(pk=chat_session.pk).update(asks_approval=True)
    calls = {call.id: call for call in tool_calls(known(answer.parts))}
    for row in rows:
        _tell(FactName.APPROVAL_WAITING, row, calls[row.tool_call_id])


def wait_on(turn: Turn, asked: Sequence[AskedCall]) -> None:
    """Have calls wait that have waited before a turn which could not go on without them."""
    Approval.objects.filter(public_id__in=[each.id for each in asked]).update(turn=turn)


def decide(
    waiting: WaitingApproval, decision: Decision, user_id: int | None, *, note: str = "", always: bool = False
) -> None:
    """Write down what a person has said of a call, and tell it; None for nobody. Under the session's lock."""
    row = waiting.approval
    row.decision, row.note, row.always = decision, note, always
    Approval.objects.filter(pk=row.pk).update(
        decision=decision, note=note, always=always, decided_by=user_id, decided_at=Now()
    )
    _tell(FactName.APPROVAL_DECIDED, row, waiting.call)


def refuse_waiting(chat_session: ChatSession) -> list[NewMessage]:
    """Refuse what waits at the end of a line, because its user says something else; return the results to append.

    Under the session's lock.
    """
    waiting = approvals.at_end(chat_session)
    for each in waiting:
        decide(each, Decision.REFUSED, chat_session.owner_id)
    forget(waiting)
    return [lost_calls.result_row(each.call, NOT_ANSWERED) for each in waiting]


def refuse_all(chat_session: ChatSession) -> list[NewMessage]:
    """Refuse in nobody's name what waits in a session, on whichever branch; return the results to append to this one.

    Under the session's lock.
    """
    rows = refuse(chat_session, {row.pk: REFUSED for row in chat_session.approvals.filter(decision=Decision.WAITING)})
    chat_session.waiting_calls.filter(kind=WaitingKind.APPROVAL).delete()
    return rows


def refuse(chat_session: ChatSession, reasons: Mapping[int, str]) -> list[NewMessage]:
    """Refuse in nobody's name approvals that wait, on whichever branch, each for its reason, by its primary key.

    Return the results to append to the branch that is shown. Under the session's lock.
    """
    shown = [each for each in approvals.at_end(chat_session) if each.approval.pk in reasons]
    for each in shown:
        decide(each, Decision.REFUSED, None)
    rows = chat_session.approvals.filter(pk__in=reasons)
    for message_id, call_id in rows.values_list("message_id", "tool_call_id"):
        calls = chat_session.waiting_calls.filter(message=message_id, tool_call_id=call_id)
        calls.filter(kind=WaitingKind.APPROVAL).delete()
    rows.filter(decision=Decision.WAITING).update(decision=Decision.REFUSED, decided_at=Now())
    return [lost_calls.result_row(each.call, reasons[each.approval.pk]) for each in shown]


def forget(waiting: Iterable[WaitingApproval]) -> None:
    """Have calls wait no more for a person."""
    for message_id in {each.approval.message_id for each in waiting}:
        waiting_calls.forget(message_id, WaitingKind.APPROVAL)


def results_follow(chat_session: ChatSession) -> bool:
    """Tell whether results are still to come behind the end of a line: of approved calls, or of what waits."""
    if not chat_session.asks_approval:
        return False
    approved = chat_session.approvals.filter(decision=Decision.APPROVED, state=CallState.NONE)
    return approved.exists() or waiting_calls.at_end(chat_session) is not None


def resumption(turn: Turn) -> Resumption:
    """Return what a turn goes on with. Raises OwnershipLost where its session is gone."""
    chat_session = ChatSession.objects.filter(pk=turn.chat_session_id).select_related("active_branch").first()
    if chat_session is None:
        raise transcript.OwnershipLost
    approved = _of_turn(turn, CallState.NONE)
    replaced = approvals.of_later_tools(row for row, _ in approved)
    denied = forbidden(turn.owner_id, {call.name for _, call in approved}) if approved else frozenset()
    calls = tuple(
        ApprovedCall(row.pk, call, NOT_PERMITTED if call.name in denied else _obstacle(row, call, replaced))
        for row, call in approved
    )
    waiting = waiting_calls.at_end(chat_session)
    asked = [approvals.asked_again(each.approval) for each in approvals.at_end(chat_session)]
    return Resumption(calls, _refused(turn), tuple(asked), bool(waiting and waiting.calls))


def _refused(turn: Turn) -> tuple[Message, ...]:
    refused = set(turn.decided_approvals.filter(decision=Decision.REFUSED).values_list("tool_call_id", flat=True))
    rows = turn.messages.filter(role=MessageRole.TOOL).order_by("position") if refused else ()
    return tuple(row for row in rows if refused & {result.id for result in tool_results(known(row.parts))})


def _obstacle(row: Approval, call: ToolCall, replaced: Collection[int]) -> str:
    if row.pk in replaced:
        return REPLACED
    return "" if approvals.digest_of(call) == row.arguments_digest else CHANGED


def begin_calls(turn: Turn, calls: Sequence[ApprovedCall]) -> None:
    """Mark calls as begun. Raises OwnershipLost where the turn is not ours, or its user may no longer act."""
    transcript.write_fenced(turn)
    if access.lock_user(turn.owner_id) is None:
        raise transcript.OwnershipLost
    begun = [each.approval_id for each in calls if not each.obstacle]
    rows = Approval.objects.filter(pk__in=begun, state=CallState.NONE)
    if rows.update(state=CallState.BEGUN, begun_at=Now()) != len(begun):
        raise transcript.OwnershipLost


def end_call(call: ApprovedCall) -> None:
    """Note that a call was made, or not, in the transaction that stores its result."""
    state = CallState.NOT_MADE if call.obstacle else CallState.DONE
    Approval.objects.filter(pk=call.approval_id).update(state=state, ended_at=Now())


def close_calls(turn: Turn, chat_session: ChatSession) -> list[NewMessage]:
    """Return the results of a turn's approved calls that have none when it ends, and note what came of them."""
    rows: list[NewMessage] = []
    if not chat_session.asks_approval:
        return rows
    for before, state, text in (
        (CallState.BEGUN, CallState.UNKNOWN, lost_calls.UNKNOWN),
        (CallState.NONE, CallState.NOT_MADE, NOT_MADE),
    ):
        for row, call in _of_turn(turn, before):
            Approval.objects.filter(pk=row.pk).update(state=state, ended_at=Now())
            rows.append(lost_calls.result_row(call, text))
    return rows


def _of_turn(turn: Turn, state: CallState) -> list[tuple[Approval, ToolCall]]:
    """Return the approvals that a turn goes on with and whose calls are in a state, each with its call."""
    rows = list(turn.decided_approvals.filter(decision=Decision.APPROVED, state=state).order_by("pk"))
    messages = Message.objects.in_bulk([row.message_id for row in rows])
    found = []
    for row in rows:
        message = messages.get(row.message_id)
        calls = tool_calls(known(message.parts)) if message else ()
        if (call := next((call for call in calls if call.id == row.tool_call_id), None)) is not None:
            found.append((row, call))
    return found


def _tell(name: FactName, approval: Approval, call: ToolCall) -> None:
    shape = approvals.shape_of(approval, call)
    record(Fact(approval.owner_id, name, approval.chat_session_id, approval.public_id, shape))
