"""What users have done, as far as they know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sent:
    """A text that was said, with the run it became once that was acknowledged."""

    user: str
    session_id: str
    message_id: str
    text: str
    run_id: str | None = None


@dataclass(slots=True)
class Doings:
    """All that the users did. `sent` is in the order of acknowledgement, for each chat by itself.

    `perhaps` are edits that were refused after a request for them was lost, which may be carried out still.
    `regenerations` counts by session how often another answer was asked for: some of these were lost, or refused.
    """

    sent: list[Sent] = field(default_factory=list)
    unacknowledged: list[Sent] = field(default_factory=list)
    perhaps: list[Sent] = field(default_factory=list)
    regenerations: Counter[str] = field(default_factory=Counter)
    stop_asked: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
