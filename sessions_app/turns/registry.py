"""The runs of this process, and those that it has left to whoever recovers them.

At every moment it says what the database says, but for the time between a commit in a thread and the loop's next round;
who needs both compares them (``agrees``).
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sessions_app.models import Turn
from sessions_app.turn_store.recovery import Running
from sessions_app.turns.run import Run


class RunRegistry:
    """The runs of one process, at most one for each session. ``process`` is its name, as turns have it."""

    def __init__(self, process: str) -> None:
        self.process = process
        self._runs: dict[UUID, Run] = {}
        self._given_up: set[UUID] = set()

    @property
    def runs(self) -> list[Run]:
        """The turns that run in this process."""
        return list(self._runs.values())

    def get(self, session_id: UUID) -> Run | None:
        """Return the session's run in this process."""
        return self._runs.get(session_id)

    def of(self, turn: Turn) -> Run | None:
        """Return the run of a turn, where it runs in this process."""
        run = self._runs.get(turn.chat_session_id)
        return run if run is not None and run.turn.pk == turn.pk else None

    def named(self, session_id: UUID, run_id: UUID) -> Run | None:
        """Return a run by its id, where it runs in this process."""
        run = self._runs.get(session_id)
        return run if run is not None and run.turn.run_id == run_id else None

    def add(self, run: Run) -> Run | None:
        """Take a run in; return the one whose place it takes: somebody else has ended that one's turn."""
        before = self._runs.get(run.begun.session_id)
        self._runs[run.begun.session_id] = run
        return before

    def remove(self, run: Run) -> None:
        """Let a run go, unless another has its place."""
        if self._runs.get(run.begun.session_id) is run:
            del self._runs[run.begun.session_id]

    @property
    def given_up(self) -> frozenset[UUID]:
        """The runs that this process has left to recovery."""
        return frozenset(self._given_up)

    def give_up(self, run: Run) -> None:
        """Leave a run to whoever has ended it in the database, or will."""
        self.remove(run)
        self._given_up.add(run.turn.run_id)

    def forget(self, run_ids: Collection[UUID]) -> None:
        """Forget runs that were given up, and that somebody has ended since."""
        self._given_up.difference_update(run_ids)

    def is_unlaunched(self, turn: Running) -> bool:
        """Tell whether a turn is claimed for this process, which neither runs it nor has given it up."""
        run = self._runs.get(turn.session_id)
        runs_it = run is not None and run.turn.pk == turn.turn_id
        return turn.process == self.process and not runs_it and turn.run_id not in self._given_up

    def agrees(self, running: Turn | None) -> bool:
        """Tell whether a turn that, by the database, runs in this process does."""
        if running is None or running.process != self.process or running.run_id in self._given_up:
            return True
        return self.of(running) is not None
