"""A line of the ledger: what a request could expect of the provider's cache, and why it got less (`causes`)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.cache_ledger.requests import (
    Caching,
    Compared,
    RequestRecord,
    expected_of,
    frozen_digest,
    retention_of,
)
from sessions_app.llm.usage import Usage

SLACK = 128
"""Tokens that may be missing without a cause: OpenAI counts what it found in steps of so many, others in smaller
ones, and the last few tokens of a prompt are read again by some."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: of one request, or by `+` of a turn's.

    `expected` tokens should have come from the cache; `miss` says why fewer did, None where they did. `cost` and
    `saved` are US dollars, `saved` against the same tokens without a cache; None where no price is known. `retention`
    is for how many seconds the conversation was to be kept, and `reason` says why, where that was chosen. `told` is the
    provider's own reason for a miss, empty where it has given none.
    """

    prefix: str
    expected: int
    miss: Cause | None
    cost: Decimal | None = None
    saved: Decimal | None = None
    retention: int | None = None
    reason: str = ""
    told: str = ""

    def __add__(self, later: Entry) -> Entry:
        """Both as one: the first miss counts, it is the one that the later requests did not have again.

        That there was nothing to find yet hides none that lost something. The last choice counts: a pause follows it.
        """
        none_yet = self.miss in (None, Cause.FIRST)
        return Entry(
            later.prefix,
            self.expected + later.expected,
            later.miss or self.miss if none_yet else self.miss,
            _sum(self.cost, later.cost),
            _sum(self.saved, later.saved),
            later.retention,
            later.reason,
            self.told or later.told,
        )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def miss_of(
    last: RequestRecord | None,
    this: RequestRecord,
    compared: Compared | None,
    usage: Usage,
    *,
    reported: bool,
    applied: str,
    caching: Caching,
) -> Cause | None:
    """Why the cache had less than expected; None where it had not. The first request of a session is a miss as well.

    `compared` to the last one. `reported`: the provider said what it found. `applied`: the digest of a prefix that
    somebody has applied to the session.
    """
    if last is None or compared is None:
        return Cause.FIRST
    if expected_of(last) - usage.cached_tokens <= SLACK:
        return None
    return _changed(last, this, compared, applied) or _forgotten(last, this, reported, caching)


def _changed(last: RequestRecord, this: RequestRecord, compared: Compared, applied: str) -> Cause | None:
    """What makes this request begin with other bytes than the last one did, if anything does."""
    if last.model != this.model:
        return Cause.MODEL
    if (last.prompt, last.tools) != (this.prompt, this.tools):
        if applied == frozen_digest(this.prompt, this.tools):
            return Cause.PROFILE
        return Cause.PROMPT if last.prompt != this.prompt else Cause.TOOLS
    same_beginning = last.prefix == this.prefix
    if same_beginning and compared.same_bytes:
        return None
    if this.summary and last.summary != this.summary:
        return Cause.COMPACTED
    if last.software != this.software and (compared.same_rows or not same_beginning):
        return Cause.SOFTWARE
    return Cause.HOST if compared.same_rows else Cause.EDITED


def _forgotten(last: RequestRecord, this: RequestRecord, reported: bool, caching: Caching) -> Cause:
    """Why the provider did not find what it was sent before."""
    if not reported:
        return Cause.UNREPORTED
    retention = retention_of(last, caching)
    if retention is not None and this.at - last.used_at > retention:
        return Cause.EXPIRED
    return Cause.EVICTED
