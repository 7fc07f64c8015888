"""Ways to decide for how long a prompt is to be kept: this host's own, and fixed ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from sessions_app.llm.cache_clock.choice import Choice
from sessions_app.llm.cache_clock.costs import Prompt
from sessions_app.llm.cache_clock.pauses import Bins
from sessions_app.llm.cache_clock.records import decide, earlier_pauses, entered, prompt_of
from sessions_app.llm.cache_clock.refreshing import due_at, pays
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices
from sessions_app.llm.cache_ledger.requests import DIGESTS, Caching, RequestRecord
from sessions_app.llm.cache_ledger.rolling_digest import START

_CACHING = Caching(retention=float(Retention.SHORT), writes=True)
_FIRST = RequestRecord("", "", "", "", "", START, START, at=0.0, kept=0, digests=DIGESTS)


class Policy(Protocol):
    """What decides for one user, request by request; `now` is in seconds."""

    prefix: Retention
    """For how long system prompt and tools are kept."""

    def begin_chat(self) -> None:
        """The next request is the first one of a chat."""

    def choose(self, now: float, tokens: int, new: int) -> Retention:
        """For how long to keep a prompt of so many tokens, of which so many are new."""

    def answered(self, now: float, tokens: int, found: int) -> None:
        """Learn how much of the prompt was found."""

    def refreshes(self, until: float) -> Iterator[float]:
        """When the prompt of the last request is sent again to be kept longer, before the next one comes."""


class Fixed:
    """The same for every request."""

    def __init__(self, retention: Retention) -> None:
        self.prefix = self._retention = retention

    def begin_chat(self) -> None:
        pass

    def choose(self, now: float, tokens: int, new: int) -> Retention:
        return self._retention

    def answered(self, now: float, tokens: int, found: int) -> None:
        pass

    def refreshes(self, until: float) -> Iterator[float]:
        return iter(())


class Host:
    """As this host chooses, by its own code, from what its records hold."""

    prefix = Retention.LONG

    def __init__(self, prices: CachePrices) -> None:
        self._prices = prices
        self._last: RequestRecord | None = None
        self._user: Bins = ()
        self._choice: Choice | None = None

    def begin_chat(self) -> None:
        self._user, self._last = earlier_pauses(self._last), None

    def choose(self, now: float, tokens: int, new: int) -> Retention:
        prompt = prompt_of(self._last, new, _CACHING, now) if self._last else Prompt(tokens)
        self._choice = decide(self._last, prompt, self._prices, self._user, now)
        return self._choice.retention

    def answered(self, now: float, tokens: int, found: int) -> None:
        assert self._choice is not None
        this = replace(_FIRST, at=now, kept=tokens, tokens=tokens)
        self._last = entered(this, self._last, self._choice, self._user, found, _CACHING)

    def refreshes(self, until: float) -> Iterator[float]:
        return iter(())


class KeptWarm(Host):
    """The same, where the operator allows prompts to be kept warm, with no bound to the amount."""

    def refreshes(self, until: float) -> Iterator[float]:
        while (last := self._last) is not None and (due := due_at(last)) is not None:
            if due >= until or not pays(last, self._prices, due):
                return
            yield due
            self._last = replace(last, refreshed_at=due)
