"""How turns end: what is stored of it, and what tells it to those who watch the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from ag_ui.core import (
    BaseEvent,
    Interrupt,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunFinishedSuccessOutcome,
    TokenUsage,
)

from sessions_app.conversations import lost_calls, spending
from sessions_app.conversations.approvals import AskedCall
from sessions_app.conversations.ledger_schemas import GuardShape, LedgerShape
from sessions_app.conversations.schemas import ErrorShape, TurnShape
from sessions_app.conversations.transcript import NewMessage
from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.content.parts import Parts, ToolCall, reasoning_of, tool_calls
from sessions_app.llm.finish import Finish
from sessions_app.llm.usage import Usage
from sessions_app.models import Turn, TurnKind, TurnStatus
from sessions_app.models.approvals import MAX_NOTE

INTERRUPTED = "The answer was interrupted. What there was of it is kept; ask again to go on."
APPROVAL_REASON = "tool_approval"
APPROVAL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "note": {"type": "string", "maxLength": MAX_NOTE},
        "always": {"type": "boolean"},
    },
    "required": ["approved"],
}
"""What a client answers an interrupt with, as AG-UI has it told."""
INTERNAL = "Something went wrong on our side. Your message is stored; try again."


@dataclass(frozen=True, slots=True)
class TurnResult:
    """How a turn ended, and with what; ``status`` is one of the final TurnStatus values.

    ``last_seq`` numbers the event that tells it; None where nobody knows how far the events came.
    ``entry`` is its line in the ledger, ``request`` the session's latest one to a provider. ``finish``
    says why an answer that is complete is not whole. ``uncounted_tokens`` and ``uncounted_cost`` (US dollars) estimate
    what requests have cost that their providers have not counted. ``results`` are the rows of the host's tools where
    the answer calls some that it waits for; ``asked`` are those of its calls that a person must approve.
    """

    status: str
    text: str
    parts: Parts = ()
    usage: Usage = field(default_factory=Usage)
    provider: str = ""
    model: str = ""
    guarded: GuardShape | None = None
    error_code: str = ""
    error_text: str = ""
    last_seq: int | None = None
    entry: Entry | None = None
    request: RequestRecord | None = None
    finish: Finish | None = None
    uncounted_tokens: int = 0
    uncounted_cost: Decimal = Decimal(0)
    results: tuple[NewMessage, ...] = ()
    asked: tuple[AskedCall, ...] = ()

    @property
    def waiting(self) -> tuple[ToolCall, ...]:
        """The answer's calls that wait for the client's results."""
        if self.status != TurnStatus.COMPLETE:
            return ()
        return tuple(call for call in tool_calls(self.parts) if call.client)

    @property
    def is_blank(self) -> bool:
        """Whether there is neither a word nor a thought to store, nor a call."""
        return not self.text.strip() and not reasoning_of(self.parts) and not tool_calls(self.parts)

    @property
    def error(self) -> ErrorShape | None:
        """Why it failed or was interrupted, as clients see it."""
        return ErrorShape(code=self.error_code, text=self.error_text) if self.error_code else None

    @property
    def ledger(self) -> LedgerShape | None:
        """Its line in the ledger, as clients see it."""
        if self.entry is None:
            return None
        return spending.ledger_shape(self.provider, self.model, self.usage, self.entry, self.guarded)


def reductions(ending: TurnResult) -> Iterator[TurnResult]:
    """Yield the end, then what is left of it where the database refuses that, each time less.

    1. Without what the provider has counted: it is not worth an answer.
    2. Without the parts: the text is what a person has read. Not of an answer with calls that wait: they would be lost.
    3. As a failure without any words. Its session goes on, and the user learns that the answer is lost.
    """
    yield ending
    uncounted = replace(ending, usage=Usage(), entry=None, request=None, uncounted_tokens=0, uncounted_cost=Decimal(0))
    yield uncounted
    if not tool_calls(ending.parts):
        yield replace(uncounted, parts=())
    yield TurnResult(
        TurnStatus.FAILED,
        "",
        guarded=ending.guarded,
        error_code="internal",
        error_text=INTERNAL,
        last_seq=ending.last_seq,
    )


def ending_of(turn: Turn, asked: Sequence[AskedCall] = ()) -> TurnResult:
    """Return how a turn ended, from its row and what it has ``asked`` for; the answer's text is not among it."""
    return TurnResult(
        turn.status,
        "",
        usage=spending.usage_of(turn),
        provider=turn.provider,
        model=turn.model,
        error_code=turn.error_code,
        error_text=turn.error_text,
        last_seq=turn.last_seq,
        guarded=spending.guard_of(turn),
        entry=spending.entry_of(turn),
        uncounted_tokens=turn.uncounted_tokens,
        uncounted_cost=turn.uncounted_cost,
        asked=tuple(asked),
    )


def recovered(turn: Turn) -> TurnResult:
    """Return what a turn comes to whose process died: what it said, and the calls that it was making."""
    ending = replace(ending_of(turn), status=TurnStatus.INTERRUPTED, text=turn.checkpoint)
    text, parts = lost_calls.marked(turn.begun_calls)
    return replace(ending, text=text, parts=parts, results=lost_calls.results_of(parts)) if parts else ending


def last_event(session_id: UUID, run_id: UUID, ending: TurnResult) -> BaseEvent:
    """Return the event that ends a run: whichever process makes it from what is stored, it is the same."""
    metadata = _metadata(ending)
    if ending.error_code:
        return RunErrorEvent(code=ending.error_code, message=ending.error_text, metadata=metadata)
    return RunFinishedEvent(
        thread_id=str(session_id),
        run_id=str(run_id),
        outcome=_outcome(ending),
        usage=[_usage_of(ending)],
        metadata=metadata,
    )


def _outcome(
    ending: TurnResult,
) -> RunFinishedCancelledOutcome | RunFinishedInterruptOutcome | RunFinishedSuccessOutcome:
    if ending.status == TurnStatus.STOPPED:
        return RunFinishedCancelledOutcome()
    return interrupted(ending.asked) if ending.asked else RunFinishedSuccessOutcome()


def interrupted(asked: Sequence[AskedCall]) -> RunFinishedInterruptOutcome:
    """Return the outcome of a run that waits for a person to approve calls."""
    return RunFinishedInterruptOutcome(interrupts=[_interrupt(each) for each in asked])


def _interrupt(asked: AskedCall) -> Interrupt:
    return Interrupt(
        id=str(asked.id),
        reason=APPROVAL_REASON,
        tool_call_id=asked.tool_call_id,
        message=f"The tool {asked.tool} is to be called. It is called only if you approve.",
        response_schema=APPROVAL_SCHEMA,
    )


def _metadata(ending: TurnResult) -> dict[str, Any] | None:
    """The turn's line in the ledger, where its provider has counted anything."""
    return {"ledger": ending.ledger.model_dump(mode="json")} if ending.ledger else None


def _usage_of(ending: TurnResult) -> TokenUsage:
    usage = ending.usage
    return TokenUsage(
        provider=ending.provider or None,
        model=ending.model or None,
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cached_tokens,
        cache_write_input_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
    )


def broken_off() -> BaseEvent:
    """Return what ends a run of which nobody knows how far it came: its session was deleted under it."""
    return RunErrorEvent(code="interrupted", message=INTERRUPTED)


def turn_shape(turn: Turn) -> TurnShape:
    """Return how a turn stands, by its row."""
    return TurnShape(
        session_id=turn.chat_session_id,
        run_id=turn.run_id,
        status=TurnStatus(turn.status),
        message_id=turn.answer_id,
        error=ending_of(turn).error,
        kind=TurnKind(turn.kind),
    )
