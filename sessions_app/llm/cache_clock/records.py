"""The choice over a session's requests: what the last one's record says for it, and what the next record says."""

from __future__ import annotations

from dataclasses import replace

from sessions_app.llm.cache_clock.choice import Choice, choose
from sessions_app.llm.cache_clock.costs import Prompt
from sessions_app.llm.cache_clock.pauses import Bins, shares, sound, with_pause, with_session
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_clock.warmth import held_tokens
from sessions_app.llm.cache_ledger.entries import SLACK
from sessions_app.llm.cache_ledger.prices import CachePrices
from sessions_app.llm.cache_ledger.requests import Caching, RequestRecord, retention_of


def decide(last: RequestRecord | None, prompt: Prompt, prices: CachePrices, user: Bins, now: float) -> Choice:
    """Choose for how long a request's prompt is to be kept.

    `last` is the session's last request; before the first one, `user` are the pauses of its user's earlier sessions.
    """
    session, user = pauses_of(last, user, now)
    return choose(prompt, prices, shares(session, user))


def prompt_of(last: RequestRecord | None, new_tokens: int, caching: Caching, now: float) -> Prompt:
    """Return the prompt of a request that goes on from the last one and adds so many tokens."""
    if last is None:
        return Prompt(new_tokens)
    said = max(last.tokens or 0, last.kept)
    return Prompt(said + new_tokens, held_tokens(last, caching, now), last.long, last.long_until - now)


def pauses_of(last: RequestRecord | None, user: Bins, now: float) -> tuple[Bins, Bins]:
    """Return the session's pauses, that before a request now among them, and those of its user's earlier sessions."""
    if last is None:
        return (), user
    return with_pause(sound(last.pauses), now - last.at), sound(last.user_pauses)


def earlier_pauses(last: RequestRecord | None) -> Bins:
    """Return what a new session of a user begins with, by the last request of the session before; none without one."""
    return with_session(sound(last.user_pauses), sound(last.pauses)) if last else ()


def entered(
    this: RequestRecord, last: RequestRecord | None, choice: Choice, user: Bins, cached: int, caching: Caching
) -> RequestRecord:
    """Return a request's record with what the next choice needs; `cached` tokens of it were found."""
    session, user = pauses_of(last, user, this.at)
    this = replace(this, retention=float(choice.retention), pauses=session, user_pauses=user)
    if choice.retention is Retention.NONE:
        this = replace(this, kept=0)
    long, until = _long(this, last, cached, caching)
    return replace(this, long=long, long_until=until)


def _long(this: RequestRecord, last: RequestRecord | None, cached: int, caching: Caching) -> tuple[int, float]:
    """How many tokens are kept for an hour, and until when. To find a later place is no use of an earlier one."""
    until = this.at + Retention.LONG
    if this.retention == Retention.LONG:
        return this.kept, until
    if last is None or last.long == 0 or cached + SLACK < last.long or this.at > last.long_until:
        return 0, 0.0
    retention = retention_of(last, caching)
    was_longer = last.kept > last.long and (retention is None or this.at - last.used_at <= retention)
    return last.long, last.long_until if was_longer else until
