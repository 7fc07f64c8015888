"""Find what somebody has done to the audit: compare its rows with the chain, its head, and heads kept elsewhere.

In one snapshot, a few thousand rows at a time: the memory it takes does not grow with the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from sessions_app.audit.chain import Row, digest_of
from sessions_app.models import NO_DIGEST, AuditEntry, AuditHead

_ROWS_AT_ONCE = 2_000
_COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True, slots=True)
class Head:
    """How many rows there are, or were, and the digest of the newest."""

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found: the head as the rows have it, and what is wrong, in sentences; none where all is well."""

    head: Head
    problems: list[str]


def verify(known: Iterable[Head] = (), most: int = 20) -> Verified:
    """Compare all rows with the chain, its head, and ``known`` heads, such as the log has; tell ``most`` problems."""
    chain = _Chain({head.count: head.digest for head in known})
    for number, problem in enumerate(chain.problems(), 1):
        chain.found.append(problem)
        if number == most:
            break
    return Verified(Head(chain.count, chain.digest), chain.found)


class _Chain:
    """The rows as they are read. After a row that is wrong it goes on with the digest that stands there."""

    def __init__(self, known: dict[int, str]) -> None:
        self.count, self.digest = 0, NO_DIGEST
        self.found: list[str] = []
        self._known = known

    def problems(self) -> Iterator[str]:
        rows = AuditEntry.objects.order_by("number").values_list(*_COLUMNS, "digest")
        yield from self._compare_known()
        for *values, digest in rows.iterator(_ROWS_AT_ONCE):
            yield from self._add(Row(*values), digest)
        yield from self._compare_head()

    def _add(self, row: Row, digest: str) -> Iterator[str]:
        if row.number != self.count + 1:
            lacking = (
                f"{self.count + 1:,}" if row.number == self.count + 2 else f"{self.count + 1:,} to {row.number - 1:,}"
            )
            yield f"Missing: {lacking}." if row.number > self.count else f"Put in: {row.number:,}."
        if digest_of(self.digest, row) != digest:
            yield f"Changed, or not what followed the row before it: {row.number:,}."
        self.count, self.digest = row.number, digest
        yield from self._compare_known()

    def _compare_known(self) -> Iterator[str]:
        expected = self._known.pop(self.count, self.digest)
        if expected != self.digest:
            yield f"Another digest than the one given: {self.count:,} has {self.digest}."

    def _compare_head(self) -> Iterator[str]:
        head = AuditHead.objects.first()
        if head is None:
            yield "The head is gone."
        elif head.count > self.count:
            yield f"Cut off: the head counts {head.count:,} rows, and there are {self.count:,}."
        elif (head.count, head.digest) != (self.count, self.digest):
            yield f"Another head than the rows have: it says {head.count:,} {head.digest}."
        for count in sorted(self._known):
            yield f"Cut off, or begun again: there were {count:,} rows, and there are {self.count:,}."
