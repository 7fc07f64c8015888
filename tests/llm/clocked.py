"""Sessions over the loopback Anthropic with both clocks in the test's hand: the host's, and that of the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from sessions_app.llm import step
from sessions_app.llm.cache_clock.choice import Choice
from sessions_app.llm.cache_clock.costs import MULTIPLES
from sessions_app.llm.cache_clock.records import earlier_pauses
from sessions_app.llm.cache_clock.refreshing import due_at, pays
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.providers import Providers
from sessions_app.llm.refreshing import refreshed
from sessions_app.llm.step_events import StepResult
from tests.llm.talking import MESSAGES, PREFIX, Session
from tests.providers.fixtures import Provider
from tests.providers.tokens import Counted


@dataclass
class Clocked:
    """One user's sessions, by clocks that stand still until `wait`."""

    provider: Provider
    providers: Providers
    now: float = 1_000_000.0
    sessions: list[Session] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        """Let time pass, for the host and for the provider's cache."""
        self.now += seconds
        self.provider.wait(seconds)

    async def keep_warm(self, session: Session, seconds: float) -> None:
        """Let time pass, in which a session's prompt is refreshed as often as pays."""
        until = self.now + seconds
        while (last := session.transcript.last) is not None and (due := due_at(last)) is not None:
            if due >= until or not pays(last, MULTIPLES, due) or (prompt := session.transcript.last_sent()) is None:
                break
            self.wait(due - self.now)
            async with session.agent.refresh(prompt) as refresh:
                async for _ in refresh:
                    pass
            assert prompt.last is not None
            session.transcript.last = refreshed(last, prompt.last)
        self.wait(until - self.now)

    def begin(self, prefix: FrozenPrefix = PREFIX) -> Session:
        """A new session, which knows of the pauses of those before."""
        last = self.sessions[-1].transcript.last if self.sessions else None
        session = Session(self.providers, MESSAGES, id=f"session {len(self.sessions)}", prefix=prefix)
        session.transcript.user_pauses = earlier_pauses(last)
        self.sessions.append(session)
        return session

    async def talk(self, pauses: Sequence[float], text: str) -> list[StepResult]:
        """A session with a turn after each pause."""
        session = self.begin()
        for seconds in pauses:
            self.wait(seconds)
            await session.turn(text)
        return session.results


@contextmanager
def clocked(provider: Provider, providers: Providers, always: Retention | None = None) -> Iterator[Clocked]:
    """Sessions with both clocks in hand; with `always` the host does not choose."""
    world = Clocked(provider, providers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "time", SimpleNamespace(time=lambda: world.now))
        if always is not None:
            patch.setattr(step, "choose_retention", lambda *_: Choice(always, "always"))
        yield world


def dollars(counts: Sequence[Counted], prices: CachePrices) -> float:
    """What a provider charges for prompts that it has counted."""
    return sum(
        prices.read * one.cached
        + prices.long_write * one.long
        + prices.short_write * (one.written - one.long)
        + prices.fresh * (one.prompt - one.cached - one.written)
        for one in counts
    )
