"""Store what a turn brings: a step with its tools' results, the final answer, the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from agentcache import Stamp
from sessions_app import access, spending, transcript
from sessions_app.agents.answers import reasoning_of
from sessions_app.agents.history import Row
from sessions_app.agents.ledger import Entry, Request
from sessions_app.agents.pieces import Finish, Usage
from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, MessageRole, Turn
from sessions_app.shapes import (
    ErrorShape,
    GuardShape,
    LedgerShape,
    MessageShape,
    SessionShape,
    message_shape,
    session_shape,
)
from sessions_app.transcript import NewMessage, OwnershipLost
from sessions_app.turns.beginning import Begun, begin_next, row_of, touch


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ended, and with what; ``status`` is one of the final TurnStatus values.

    ``last_seq`` numbers the event that tells it; None where nobody knows how far the events came.
    ``entry`` is its line in the ledger, ``request`` the session's latest one to a provider. ``finish``
    says why an answer that is complete is not whole.
    """

    status: str
    text: str
    parts: list[dict[str, Any]] | None = None
    usage: Usage = field(default_factory=Usage)
    provider: str = ""
    model: str = ""
    guarded: GuardShape | None = None
    error_code: str = ""
    error_text: str = ""
    last_seq: int | None = None
    entry: Entry | None = None
    request: Request | None = None
    finish: Finish | None = None

    @property
    def is_blank(self) -> bool:
        """Whether there is neither a word nor a thought to store."""
        return not self.text.strip() and not reasoning_of(self.parts)

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


def ending_of(turn: Turn) -> Ending:
    """Return how a turn ended, from its row; the answer's text is not among it."""
    return Ending(
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
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows that a turn has stored, as the transcript in memory takes them in."""

    rows: tuple[Row, ...]
    messages: tuple[MessageShape, ...]
    old: Stamp
    new: Stamp


@dataclass(frozen=True, slots=True)
class Ended:
    """A turn's end as stored (``stored`` is None where the answer had no word and no thought), and what is next."""

    chat_session: SessionShape
    stored: Stored | None
    following: Begun | None

    @property
    def messages(self) -> tuple[MessageShape, ...]:
        """The answer, where there is one."""
        return self.stored.messages if self.stored else ()


def status_of(turn_id: int) -> str | None:
    """Return how a turn stands, by its primary key; None where its session is gone."""
    return Turn.objects.filter(pk=turn_id).values_list("status", flat=True).first()


def _locked(turn: Turn) -> ChatSession:
    try:
        return access.chat_session(turn.owner_id, turn.chat_session_id, lock=True)
    except NotFound:
        raise OwnershipLost from None


def _append(
    chat_session: ChatSession, turn: Turn, rows: Sequence[NewMessage], request: Request | None, **facts: Any
) -> Stored:
    appended = transcript.append(chat_session, turn, rows, **facts)
    touch(chat_session, appended, request)
    return Stored(
        tuple(row_of(message) for message in appended.messages),
        tuple(message_shape(message) for message in appended.messages),
        appended.old,
        appended.new,
    )


def store_step(turn: Turn, rows: Sequence[NewMessage], next_answer: UUID, so_far: Ending) -> Stored:
    """Store a step that called tools, with their results; the next answer gets a new id.

    ``so_far`` is what the turn has cost until now, for the case that its owner dies. Raises OwnershipLost.
    """
    figures = _figures(so_far)
    return _append(_locked(turn), turn, rows, so_far.request, answer_id=next_answer, checkpoint="", **figures)


def end(turn: Turn, answer_id: UUID, ending: Ending, *, process: str | None) -> Ended:
    """Store the answer, its usage and the end of the turn; begin the next one for ``process``.

    ``process`` is None where this one takes no more turns. Raises OwnershipLost. Where an earlier
    call has stored the end, and the word of that was lost, nothing is written again.
    """
    chat_session = _locked(turn)
    try:
        stored = _store(chat_session, turn, answer_id, ending)
    except OwnershipLost:
        if not Turn.objects.filter(pk=turn.pk, claim=turn.claim, ended_at__isnull=False).exists():
            raise
        return Ended(session_shape(chat_session), None, None)
    following = begin_next(chat_session, process) if process else None
    # The following turn's message is announced by itself; this is the session as we leave it.
    return Ended(session_shape(chat_session), stored, following)


def _store(chat_session: ChatSession, turn: Turn, answer_id: UUID, ending: Ending) -> Stored | None:
    if not ending.is_blank:
        answer = NewMessage(
            MessageRole.ASSISTANT, ending.text, ending.parts, ending.status, answer_id, ending.finish or ""
        )
        stored = _append(chat_session, turn, [answer], ending.request, **_facts(ending))
        told = stored.messages[0].model_copy(update={"ledger": ending.ledger, "error": ending.error})
        return replace(stored, messages=(told,))
    transcript.hold(turn, **_facts(ending))
    touch(chat_session, None, ending.request)
    return None


def _facts(ending: Ending) -> dict[str, Any]:
    return {
        "status": ending.status,
        "ended_at": Now(),
        "checkpoint": "",
        "error_code": ending.error_code,
        "error_text": ending.error_text,
        "last_seq": ending.last_seq,
        **_figures(ending),
    }


def _figures(ending: Ending) -> dict[str, Any]:
    """What the turn has cost, and what the guard decided."""
    usage, guarded = ending.usage, ending.guarded
    figures: dict[str, Any] = {
        "provider": ending.provider,
        "model": ending.model,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
    if (entry := ending.entry) is not None:
        figures |= {
            "prefix_digest": entry.prefix,
            "expected_tokens": entry.expected,
            "miss": entry.miss or "",
            "cost": entry.cost,
            "saved": entry.saved,
        }
    if guarded is not None:
        figures |= {
            "guard_agent": guarded.agent,
            "guard_transcript": guarded.transcript,
            "guard_reason": guarded.reason,
        }
    return figures
