"""Which ends of turns elsewhere this process has heard of, and whom a look finds to have missed one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from sessions_app.turns.news import Recent
from sessions_app.turns.recovery import Over


class Heard:
    """The ends that the connections of this process know of.

    A turn that ended a moment ago and was not heard of is no loss yet: its word may be on the way. One that is not
    heard of at the next look either was lost.
    """

    def __init__(self) -> None:
        self._ends = Recent()
        self._unheard: set[Over] = set()

    def end_of(self, run_id: UUID) -> None:
        """Note that an end is known here."""
        self._ends.set(run_id)

    def missed(self, over: Iterable[Over], is_here: Callable[[int], object]) -> set[int]:
        """Return the users who have missed an end, each time once; ``is_here`` tells whether a user is connected."""
        unheard: set[Over] = set()
        for turn in over:
            if not is_here(turn.owner_id):
                self.end_of(turn.run_id)  # who comes now will read it
            elif turn.run_id not in self._ends:
                unheard.add(turn)
        missed, self._unheard = unheard & self._unheard, unheard
        for turn in missed:
            self.end_of(turn.run_id)
        return {turn.owner_id for turn in missed}
