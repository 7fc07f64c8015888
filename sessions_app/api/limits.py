"""What one user, or one address, may have of a process: connections, and commands a second.

One object for all connections of a process. Other processes count for themselves: over several of them a user may have
so many times as much, which is bounded as well, and needs no word between them.
"""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

# Commands that a user may send at once, and a second after that, over all connections.
BURST, PER_SECOND = 1_000, 50
# The same of requests for shared chats, of visitors from one address.
VISIT_BURST, VISITS_PER_SECOND = 300, 10
# Seconds: sums of floats are not exact.
_ROUNDING = 1e-6
# Refused connections of one address that have not gone yet: the client has half a minute to close.
REFUSED_PER_ADDRESS = 20
# Seconds between two of their frames: nothing in them is for us.
REFUSED_PAUSE = 1.0


class Places:
    """Places for connections: each key has so many."""

    def __init__(self) -> None:
        self._taken: Counter[Hashable] = Counter()

    def take(self, key: Hashable, limit: int) -> bool:
        """Take a place, to be given back; False where none is free."""
        if self._taken[key] >= limit:
            return False
        self._taken[key] += 1
        return True

    def give_back(self, key: Hashable) -> None:
        """Give a place back."""
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]


@dataclass(slots=True)
class _Bucket:
    """When it is full again, from which follows how many tokens it has; and until when refusals make clients wait."""

    full_at: float = 0.0
    refused_until: float = 0.0


class CommandRate:
    """A token bucket for each user, that survives their connections (by the generic cell rate algorithm)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # In the order of their last use.
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def excess(self, user: Hashable) -> float:
        """Take a token and return 0; or take none, and return the seconds until there is one."""
        bucket, now = self._bucket(user), self._clock()
        burst, per_second = self.bounds()
        full_at = max(bucket.full_at, now) + 1 / per_second
        missing = full_at - now - burst / per_second
        if missing > _ROUNDING:
            return missing
        bucket.full_at = full_at
        return 0

    def pause(self, user: Hashable) -> float:
        """Return the seconds that a refused connection is not read: so refusals are no more than commands may be."""
        bucket, now = self._bucket(user), self._clock()
        bucket.refused_until = max(bucket.refused_until, now) + 1 / self.bounds()[1]
        return bucket.refused_until - now

    def bounds(self) -> tuple[int, int]:
        """Return how many there may be at once, and a second after that."""
        return BURST, PER_SECOND

    def _bucket(self, user: Hashable) -> _Bucket:
        now = self._clock()
        while self._buckets and _is_idle(next(iter(self._buckets.values())), now):
            self._buckets.popitem(last=False)
        bucket = self._buckets.setdefault(user, _Bucket())
        self._buckets.move_to_end(user)
        return bucket


class VisitRate(CommandRate):
    """The same for each address that requests of visitors come from."""

    def bounds(self) -> tuple[int, int]:
        """Return how many there may be at once, and a second after that."""
        return VISIT_BURST, VISITS_PER_SECOND


def _is_idle(bucket: _Bucket, now: float) -> bool:
    return max(bucket.full_at, bucket.refused_until) <= now


class Limits:
    """The limits of a process. ``clock`` tells seconds that never run back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.connections = Places()
        self.refused = Places()
        self.commands = CommandRate(clock)
        self.visits = VisitRate(clock)


def address_of(scope: dict[str, Any]) -> str:
    """Return where a connection comes from. One subscriber has a whole /64 of IPv6, so that counts as one."""
    host = (scope.get("client") or ["unknown"])[0]
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    return str(ipaddress.ip_network((parsed, 64), strict=False) if parsed.version == 6 else parsed)
