"""The chain: each row's digest covers the row and the digest before it, so the newest covers all.

A row that is changed, removed, put in or moved has every later digest against it; rows cut off at the end have the
head. Who can write to the database can make a whole new chain and head: then those that were printed to the log differ.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Row:
    """A row's content, in the order in which it is digested: as the columns of ``AuditEntry``, without the digest."""

    number: int
    recorded_at: datetime
    action: str
    actor_kind: str
    actor_id: int | None
    actor_name: str
    token_id: int | None
    object_kind: str
    object_id: str
    address: str
    details: str


def digest_of(before: str, row: Row) -> str:
    """Return the digest of a row that follows one with the digest ``before``: SHA-256 in hexadecimal."""
    return sha256(f"{before}\n".encode() + _canonical(astuple(row))).hexdigest()


def _canonical(values: Sequence[object]) -> bytes:
    """Return a row's bytes: a JSON list, its time in UTC to the microsecond."""
    told = [_time(value) if isinstance(value, datetime) else value for value in values]
    return json.dumps(told, separators=(",", ":"), ensure_ascii=True).encode()


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")
