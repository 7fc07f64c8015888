"""What a cache can tell about itself: figures for the metrics page and the tests, without a word of what was said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

Event: TypeAlias = Literal[
    "hits",
    "builds",
    "failures",
    "replaced",
    "evicted",
    "expired",
    "loaded",
    "advanced",
    "dropped",
    "close_errors",
]
Tally: TypeAlias = Counter[Event]


@dataclass(frozen=True, slots=True)
class Statistics:
    """State of an `AgentCache` at one moment, and what happened in it since it was made.

    Now: `entries` agents in the cache, of which `in_turn` are leased; `leases` under way (those of retired agents
    too); `transcripts` held, `bytes` together; `building` agents; `closing` agents.

    Since the start: leases on an agent that was there (`hits`), agents built (`builds`), builds that raised or were
    cancelled (`failures`); agents that left for another signature (`replaced`), for the bound on entries (`evicted`),
    for their idle time (`expired`); transcripts that were read and then held (`loaded`), baselines `advanced` after our
    own write, transcripts `dropped` for a bound on bytes; `close_errors` of agents.
    """

    entries: int
    in_turn: int
    leases: int
    transcripts: int
    bytes: int
    building: int
    closing: int
    hits: int = 0
    builds: int = 0
    failures: int = 0
    replaced: int = 0
    evicted: int = 0
    expired: int = 0
    loaded: int = 0
    advanced: int = 0
    dropped: int = 0
    close_errors: int = 0
