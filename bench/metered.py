"""What Anthropic charges for a chat's prompts, by its price list: no code of the host is part of this.

Where its guide leaves something open (is an earlier place kept on when a later one is found?), it costs what is more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.people import Chat
from sessions_app.llm.cache_ledger.prices import CachePrices

PREFIX_TOKENS = 2_500
"""Tokens of system prompt and tools, which all chats share."""

Place = tuple[int, int, float]
"""A place up to which a prompt is kept: its tokens, for how many seconds after its use, and until when."""


@dataclass(slots=True)
class Meter:
    """The bill of one user's chats, one after the other, with the prefix kept for `prefix_seconds` after its use."""

    prices: CachePrices
    prefix_seconds: int
    dollars: float = 0.0
    choices: Counter[int] = field(default_factory=Counter)
    refreshes: int = 0
    _prefix_until: float = -1.0
    _places: list[Place] = field(default_factory=list)

    def begin_chat(self) -> None:
        """Another chat: of the last one only the prefix is of use."""
        self._places = []

    def request(self, now: float, tokens: int, seconds: int) -> int:
        """Charge a request that keeps its prompt for so long (0: not at all); return how many tokens it has found."""
        alive = [place for place in self._places if now <= place[2]]
        found = found_by(alive, seconds)
        if not found and now <= self._prefix_until:
            found = PREFIX_TOKENS
        if not found:
            self.dollars += PREFIX_TOKENS * rate(self.prices, self.prefix_seconds)
        if found <= PREFIX_TOKENS:
            self._prefix_until = now + self.prefix_seconds
        cost, self._places = charge(self.prices, alive, now, tokens, seconds, found or PREFIX_TOKENS)
        self.dollars += cost if found else cost - self.prices.read * PREFIX_TOKENS
        self.choices[seconds] += 1
        return found

    def refresh(self, now: float) -> None:
        """Charge the last prompt, sent again only to be kept for minutes more."""
        alive = [place for place in self._places if now <= place[2]]
        size = found_by(alive, 300)
        cost, self._places = charge(self.prices, alive, now, size, 300, size)
        self.dollars += cost
        self.refreshes += 1


def found_by(alive: Sequence[Place], seconds: int) -> int:
    """The tokens of the longest place; a request that keeps nothing does not look for one."""
    return max((size for size, _, _ in alive), default=0) if seconds else 0


def rate(prices: CachePrices, seconds: int) -> float:
    """What a token costs that is written to be kept for so long."""
    return prices.fresh if not seconds else prices.long_write if seconds > 300 else prices.short_write


def charge(
    prices: CachePrices, alive: Sequence[Place], now: float, tokens: int, seconds: int, found: int
) -> tuple[float, list[Place]]:
    """What a request costs of which so much is found, and the places that are kept after it."""
    cost = prices.read * found + rate(prices, seconds) * (tokens - found)
    places = [(size, kept, now + kept if size == found else until) for size, kept, until in alive]
    if seconds:
        places.append((tokens, seconds, now + seconds))
    return cost, _useful(places)


def _useful(places: list[Place]) -> list[Place]:
    """Those of which none is longer and kept longer."""
    return [
        one for one in places if not any(other != one and other[0] >= one[0] and other[2] >= one[2] for other in places)
    ]


State = tuple[tuple[Place, ...], int, float]
"""The places of a chat; for how many seconds the prefix is kept after its use, and until when."""


def ideal(prices: CachePrices, chats: Iterable[tuple[float, Chat]]) -> float:
    """What the best choices cost, of the prefix too, made with all pauses to come known."""
    best: dict[State, float] = {((), 0, -1.0): 0.0}
    for start, chat in chats:
        best = _least((((), kept, until), spent) for (_, kept, until), spent in best.items())
        now, tokens = start, PREFIX_TOKENS
        for request in chat:
            now, tokens = now + request.pause, tokens + request.tokens
            best = _least(
                after for state, spent in best.items() for after in _choices(prices, state, spent, now, tokens)
            )
    return min(best.values())


def _least(reached: Iterable[tuple[State, float]]) -> dict[State, float]:
    best: dict[State, float] = {}
    for state, spent in reached:
        best[state] = min(best.get(state, spent), spent)
    return best


def _choices(prices: CachePrices, state: State, spent: float, now: float, tokens: int) -> Iterator[tuple[State, float]]:
    places, kept, until = state
    alive = [place for place in places if now <= place[2]]
    for seconds in (0, 300, 3600):
        if found := found_by(alive, seconds):
            cost, after = charge(prices, alive, now, tokens, seconds, found)
            yield (tuple(after), kept, until), spent + cost
            continue
        cost, after = charge(prices, alive, now, tokens, seconds, PREFIX_TOKENS)
        if now <= until:
            yield (tuple(after), kept, now + kept), spent + cost
            continue
        for long in (300, 3600):
            if long >= seconds:
                more = PREFIX_TOKENS * (rate(prices, long) - prices.read)
                yield (tuple(after), long, now + long), spent + cost + more
