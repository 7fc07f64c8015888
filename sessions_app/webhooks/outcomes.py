"""What came of an attempt to send an event."""

from __future__ import annotations

from dataclasses import dataclass

MAX_ANSWER = 500
"""Characters of a receiver's answer that are kept."""

_GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status`` is None, and ``error`` a sentence, where there was no answer. ``retry_after``: seconds, 0 for none."""

    status: int | None
    milliseconds: int
    answer: str = ""
    error: str = ""
    retry_after: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has taken the event."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing more."""
        return self.status == _GONE
