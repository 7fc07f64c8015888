"""The runs whose end this process's connections have been told, for as long as a late word may come."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

# A word of an ended run comes late by seconds; this many runs do not end in that time.
REMEMBERED = 10_000


class Told:
    """A set of run ids that forgets the oldest."""

    def __init__(self) -> None:
        self._runs: OrderedDict[UUID, None] = OrderedDict()

    def __contains__(self, run_id: UUID) -> bool:
        return run_id in self._runs

    def add(self, run_id: UUID) -> None:
        """Note an end."""
        self._runs[run_id] = None
        if len(self._runs) > REMEMBERED:
            self._runs.popitem(last=False)

    def discard(self, run_id: UUID) -> None:
        """Forget that it was told: somebody was shown the run as running since."""
        self._runs.pop(run_id, None)
