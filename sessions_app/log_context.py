"""What a line of the log is about: the request, the user, the session and the run that are under way.

Each task of the event loop has its own, and what it begins inherits it; our own threads take it along with each piece
of work (``scheduling.threads``). Ids alone, never a word of what was said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LogContext:
    """Ids, each None where there is none, or where nobody knows."""

    request_id: str | None = None
    user_id: int | None = None
    session_id: UUID | None = None
    run_id: UUID | None = None

    @property
    def known(self) -> dict[str, object]:
        """Those ids that there are."""
        return {name: value for name, value in asdict(self).items() if value is not None}


_NOTHING = LogContext()
_context: ContextVar[LogContext] = ContextVar("log_context", default=_NOTHING)


def current() -> LogContext:
    """Return what is under way here."""
    return _context.get()


def take(context: LogContext) -> None:
    """Have what follows here be about this."""
    _context.set(context)


def note_user(user_id: int) -> None:
    """Note whose request this is."""
    take(replace(current(), user_id=user_id))


def note_run(user_id: int, session_id: UUID, run_id: UUID) -> None:
    """Note that what follows here is a run; the request that has begun it stays known."""
    take(replace(current(), user_id=user_id, session_id=session_id, run_id=run_id))


@contextmanager
def nothing() -> Iterator[None]:
    """Begin something that has nothing to do with what is under way here."""
    token = _context.set(_NOTHING)
    try:
        yield
    finally:
        _context.reset(token)
