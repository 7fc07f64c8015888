"""What the guard has decided, as a span of its turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sessions_app import tracing
from sessions_app.turns.memory import TurnMemory


@contextmanager
def guard_span(memory: TurnMemory) -> Iterator[None]:
    """Record how the transcript is obtained, and what the guard has decided."""
    with tracing.span("guard", {}) as span:
        yield
        told = memory.guarded
        span.note(
            {
                "hermes.guard.agent": told.agent,
                "hermes.guard.transcript": told.transcript,
                "hermes.guard.reason": told.reason,
            }
        )
