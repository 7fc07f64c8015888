"""What one request was, for the next one of its session to be compared with.

Pure values and functions: a record is stored with its session (`RequestRecord.to_json`), and whichever process sends
the next request compares.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter

from sessions_app.llm.cache_ledger.rolling_digest import START, Mark
from sessions_app.llm.content.prefix import FrozenPrefix, canonical
from sessions_app.llm.usage import Usage

DIGESTS = 2
"""How rows are digested: 1, their text (up to 0.1.0); 2, the digest of each, so that a transcript can be cut."""


BYTES_PER_TOKEN = 4.0
"""Of a conversation that no provider has counted yet: English text, and about that of code and other languages."""


@dataclass(frozen=True, slots=True)
class Caching:
    """How a provider caches: `retention` in seconds (None: it names none), the shortest prompt it keeps, in tokens,
    and whether it tells what it has written (`writes`)."""

    retention: float | None = None
    minimum: int = 0
    writes: bool = False


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What one request was, for the next one of its session to be compared with.

    `model` names the model and its server. `prefix` is the digest of all that stood before and beside the conversation
    on the wire, `prompt` and `tools` those of the frozen prefix, `software` that of what wrote them. `rows` is how far
    the transcript had come, `wire` how far its elements had (both are the rows where elements are not kept). `at` is
    when its answer began, from when on the provider keeps it: in seconds since the epoch by the process's own clock,
    for it is compared with times to live of minutes. `kept` tokens may be expected to be found. `digests` says how rows
    are digested (`DIGESTS`). `tokens` are those of the prompt and its answer, and `size` the bytes of both: the next
    prompt is estimated by them. `tokens` are None where the line was summarised since, and in records of releases that
    did not know them. `summary` is the digest of the summary that it began with, empty for none. `retention` is for
    how many seconds the provider was asked to keep the prompt, None where it was asked for no time.
    `refreshed_at` is when the prompt was last sent again to be kept longer (`cache_clock.refreshing`), 0 for never.
    For the next such choice (`cache_clock`): `long` tokens are kept until `long_until` (seconds since the epoch),
    because they were written for an hour; `response` is the id of the answer, where its provider compares requests by
    it (`diagnoses`). `pauses` are those of the session, `user_pauses` those of its user's before.
    """

    model: str
    prefix: str
    prompt: str
    tools: str
    software: str
    rows: Mark
    wire: Mark
    at: float
    kept: int
    digests: int = 1
    tokens: int | None = None
    size: int = 0
    bytes_per_token: float = BYTES_PER_TOKEN
    summary: str = ""
    retention: float | None = None
    response: str = ""
    long: int = 0
    long_until: float = 0.0
    pauses: tuple[float, ...] = ()
    user_pauses: tuple[float, ...] = ()
    refreshed_at: float = 0.0

    @property
    def used_at(self) -> float:
        """When the provider has last read the prompt: from then on it keeps it."""
        return max(self.at, self.refreshed_at)

    def to_json(self) -> str:
        """The text that is stored with the session."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> RequestRecord | None:
        """The request that `to_json` wrote; None for no text, and for one of another version.

        Of rows that were digested in another way nothing is known: they count as the beginning of any transcript.
        """
        try:
            stored = _STORED.validate_json(text)
        except ValueError:
            return None
        if stored.digests == DIGESTS:
            return stored
        return replace(stored, rows=START, wire=START if stored.wire == stored.rows else stored.wire)


_STORED = TypeAdapter(RequestRecord)


@dataclass(frozen=True, slots=True)
class Compared:
    """How the transcript of a request stands to that of the last one: has it the same beginning, as rows, and as
    bytes on the wire?"""

    same_rows: bool
    same_bytes: bool


def kept_of(usage: Usage, caching: Caching) -> int:
    """How many tokens of a request the next one may expect to find, by what the provider said of it."""
    if caching.writes or usage.cache_write_tokens:
        return usage.cached_tokens + usage.cache_write_tokens
    return usage.input_tokens if usage.input_tokens >= caching.minimum else 0


def retention_of(last: RequestRecord, caching: Caching) -> float | None:
    """For how many seconds a provider keeps what a request has left; None where nobody knows."""
    return caching.retention if last.retention is None else last.retention


def expected_of(last: RequestRecord | None) -> int:
    """How many tokens a request should find: those that the last one of its session has left."""
    return last.kept if last else 0


def prompt_digest(prefix: FrozenPrefix) -> str:
    """Digest of a frozen system prompt, the user's instructions included."""
    return digest(prefix.prompt)


def tools_digest(prefix: FrozenPrefix) -> str:
    """Digest of frozen tool definitions."""
    return digest(canonical([[tool.name, tool.description, tool.parameters] for tool in prefix.offered]))


def frozen_digest(prompt: str, tools: str) -> str:
    """One digest of both, by which an applied prefix is known again."""
    return digest(prompt + tools)


def digest(text: str) -> str:
    """What the ledger writes in place of a text: 128 bits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
