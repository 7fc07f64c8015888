"""What a turn's model has said so far, and what the turn comes to by it, however its work ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from sessions_app.conversations import lost_calls
from sessions_app.conversations.approvals import AskedCall
from sessions_app.conversations.ledger_schemas import GuardShape
from sessions_app.conversations.profiles import FORBIDDEN
from sessions_app.conversations.transcript import NewMessage, OwnershipLost
from sessions_app.conversations.turn_results import INTERNAL, INTERRUPTED, TurnResult
from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.content.parts import Parts, reasoning_of
from sessions_app.llm.content.response_parts import kept_thought
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.finish import Finish
from sessions_app.llm.step_events import StepResult
from sessions_app.llm.usage import Usage
from sessions_app.models import TurnStatus

logger = logging.getLogger(__name__)


class TurnOutput:
    """The cost of all steps of a turn, and the words of the answer under way. Lives as long as its run."""

    def __init__(self, run_id: UUID) -> None:
        self._run_id = run_id
        self.guarded: GuardShape | None = None
        self._usage = Usage()
        self._provider = ""
        self._model = ""
        self._parts: Parts = ()
        self._text = ""
        self._finish: Finish | None = None
        self._entry: Entry | None = None
        self._results: tuple[NewMessage, ...] = ()
        self._asked: tuple[AskedCall, ...] = ()
        self._makes_calls = False

    def begin_answer(self) -> None:
        """Begin another answer: what was said so far is stored."""
        self._text, self._parts, self._finish = "", (), None
        self._makes_calls = False

    def begin_calls(self) -> None:
        """Begin to make the answer's calls, which may change something: it is kept with them, however the turn ends."""
        self._makes_calls = True

    def add(self, result: StepResult) -> None:
        """Take in what a step has amounted to, however it ended."""
        self.count(result)
        self._text, self._parts, self._finish = result.text, result.parts, result.finish

    def leave(self, results: Sequence[NewMessage], asked: Sequence[AskedCall]) -> None:
        """End with an answer some of whose calls wait: for the client, or for a person those that are ``asked`` for.

        ``results`` are those of its other calls.
        """
        self._results, self._asked = tuple(results), tuple(asked)

    def count(self, result: StepResult) -> None:
        """Take in what a step has cost, and nothing of what it said."""
        self._usage += result.usage
        if result.text or result.parts or not self._model:
            # A step that was stopped before a word knows what was asked for, not who would have answered.
            self._provider, self._model = result.provider, result.model
        if result.entry is not None:
            self._entry = self._entry + result.entry if self._entry else result.entry

    def result_of(self, work: asyncio.Task[None], reason: str | None) -> TurnResult:
        """Return the result of a turn whose work has ended, early for a ``reason`` (``turns.run``)."""
        if work.cancelled():
            match reason:
                case "stopped":
                    return self.result(TurnStatus.STOPPED)
                case "forbidden":
                    return self.result(TurnStatus.FAILED, "provider", FORBIDDEN)
            return self.result(TurnStatus.INTERRUPTED, "interrupted", INTERRUPTED)
        match work.exception():
            case None:
                return self.result(TurnStatus.COMPLETE)
            case ProviderError() as error:
                return self.result(TurnStatus.FAILED, error.code, error.text)
            case ContentError() as error:
                logger.error("turn %s was not sent: %s", self._run_id, error.text)
                return self.result(TurnStatus.FAILED, "internal", error.text)
            case OwnershipLost():
                return self.result(TurnStatus.INTERRUPTED)
            case error:
                logger.error("turn %s failed", self._run_id, exc_info=error)
                return self.result(TurnStatus.FAILED, "internal", INTERNAL)

    def result(self, status: str, code: str = "", text: str = "") -> TurnResult:
        """Return what a turn of this status comes to; ``code`` and ``text`` say why it has no whole answer."""
        is_whole = status == TurnStatus.COMPLETE
        parts = self._parts if is_whole or self._makes_calls else kept_thought(reasoning_of(self._parts))
        lost = lost_calls.results_of(self._parts) if self._makes_calls else ()
        return TurnResult(
            status,
            self._text,
            parts,
            usage=self._usage,
            provider=self._provider,
            model=self._model,
            guarded=self.guarded,
            entry=self._entry,
            error_code=code,
            error_text=text,
            finish=self._finish if is_whole else None,
            results=self._results if is_whole else lost,
            asked=self._asked if is_whole else (),
        )
