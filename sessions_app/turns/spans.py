"""A turn as a span, with its parts: the guard, requests and tools (``llm.spans``), its end, the re-baseline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sessions_app import log_context, tracing
from sessions_app.turns.run import Run


@contextmanager
def turn(run: Run) -> Iterator[None]:
    """Record the block as the turn's span, and have the log's lines know the turn."""
    begun, stored = run.begun, run.turn
    log_context.note_run(stored.owner_id, begun.session_id, stored.run_id)
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.conversation.id": str(begun.session_id),
        "gen_ai.request.model": begun.model.partition(":")[2] or begun.model,
        "hermes.run_id": str(stored.run_id),
        "hermes.user_id": stored.owner_id,
        "hermes.turn.kind": str(stored.kind),
    }
    with tracing.span("invoke_agent", attributes) as span:
        yield
        if (ending := run.ending) is not None:
            span.note({"hermes.turn.status": str(ending.status), "error.type": ending.error_code})
        if run.first_word is not None:
            span.note({"hermes.turn.first_word_seconds": run.first_word})


@contextmanager
def apart() -> Iterator[None]:
    """Begin what is no part of the turn that is under way here."""
    with log_context.nothing(), tracing.apart():
        yield
