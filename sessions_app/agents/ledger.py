"""The ledger: what a request could expect of the provider's cache, and why it got less.

A provider keeps the beginning of a prompt for a while and charges about a tenth for what it finds again. So a request
may expect what the last one of its session had, as long as it begins with the same bytes. Where the provider reports
less, somebody or something has a name:

- the *transcript* (edited), the *session* (another model, a profile applied, a prompt or tools changed by hand),
- the *software* (another version writes other bytes),
- the *provider* (its time to live passed, it evicted the prompt, it reports nothing),
- or nobody of these: then it was the *host*, which must never happen. A session's frozen prefix and its kept
  elements are there so that it does not; this cause is there so that it would be seen.

Pure values and functions: what a request was is stored with its session (`Request.to_json`), whichever process
sends the next one compares.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter

from .pieces import Usage
from .prefix import FrozenPrefix, canonical
from .trail import Mark

SLACK = 128
"""Tokens that may be missing without a cause: OpenAI counts what it found in steps of so many, others in smaller
ones, and the last few tokens of a prompt are read again by some."""


class Cause(StrEnum):
    """Why a provider's cache had less than was expected; `sentence` says it to a person."""

    FIRST = "first"
    MODEL = "model"
    PROFILE = "profile"
    PROMPT = "prompt"
    TOOLS = "tools"
    SOFTWARE = "software"
    EDITED = "edited"
    EXPIRED = "expired"
    EVICTED = "evicted"
    UNREPORTED = "unreported"
    HOST = "host"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Cause:
        """What a newer version has stored: an older one, beside it or after it, reads it too."""
        return cls.OTHER

    @property
    def sentence(self) -> str:
        """The cause in a few words."""
        return _SENTENCES[self]


_SENTENCES = {
    Cause.FIRST: "first turn",
    Cause.MODEL: "model changed",
    Cause.PROFILE: "profile applied",
    Cause.PROMPT: "system prompt changed",
    Cause.TOOLS: "tools changed",
    Cause.SOFTWARE: "software upgraded",
    Cause.EDITED: "transcript edited",
    Cause.EXPIRED: "provider's time to live passed",
    Cause.EVICTED: "provider evicted it",
    Cause.UNREPORTED: "provider reports no cached tokens",
    Cause.HOST: "the host sent other bytes",
    Cause.OTHER: "another cause",
}


@dataclass(frozen=True, slots=True)
class Caching:
    """How a provider caches: `retention` in seconds (None: it names none), the shortest prompt it keeps, in tokens,
    and whether it tells what it has written (`writes`)."""

    retention: float | None = None
    minimum: int = 0
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What one request was, for the next one of its session to be compared with.

    `model` names the model and its server. `prefix` is the digest of all that stood before and beside the conversation
    on the wire, `prompt` and `tools` those of the frozen prefix, `software` that of what wrote them. `rows` is how far
    the transcript had come, `wire` how far its elements had (both are the rows where elements are not kept). `at` is
    when its answer began, from when on the provider keeps it: in seconds since the epoch by the process's own clock,
    for it is compared with times to live of minutes. `kept` tokens may be expected to be found.
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

    def to_json(self) -> str:
        """The text that is stored with the session."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Request | None:
        """The request that `to_json` wrote; None for no text, and for one of another version."""
        try:
            return _STORED.validate_json(text)
        except ValueError:
            return None


_STORED = TypeAdapter(Request)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: of one request, or by `+` of a turn's.

    `expected` tokens should have come from the cache; `miss` says why fewer did, None where they did. `cost` and
    `saved` are US dollars, `saved` against the same tokens without a cache; None where no price is known.
    """

    prefix: str
    expected: int
    miss: Cause | None
    cost: Decimal | None = None
    saved: Decimal | None = None

    def __add__(self, later: Entry) -> Entry:
        """Both as one: the first miss counts, it is the one that the later requests did not have again.

        That there was nothing to find yet hides none that lost something.
        """
        none_yet = self.miss in (None, Cause.FIRST)
        return Entry(
            later.prefix,
            self.expected + later.expected,
            later.miss or self.miss if none_yet else self.miss,
            _sum(self.cost, later.cost),
            _sum(self.saved, later.saved),
        )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def kept_of(usage: Usage, caching: Caching) -> int:
    """How many tokens of a request the next one may expect to find, by what the provider said of it."""
    if caching.writes or usage.cache_write_tokens:
        return usage.cached_tokens + usage.cache_write_tokens
    return usage.input_tokens if usage.input_tokens >= caching.minimum else 0


def expected_of(last: Request | None) -> int:
    """How many tokens a request should find: those that the last one of its session has left."""
    return last.kept if last else 0


@dataclass(frozen=True, slots=True)
class Compared:
    """How the transcript of a request stands to that of the last one: has it the same beginning, as rows, and as
    bytes on the wire?"""

    same_rows: bool
    same_bytes: bool


def miss_of(
    last: Request | None,
    this: Request,
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


def _changed(last: Request, this: Request, compared: Compared, applied: str) -> Cause | None:
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
    if last.software != this.software and (compared.same_rows or not same_beginning):
        return Cause.SOFTWARE
    return Cause.HOST if compared.same_rows else Cause.EDITED


def _forgotten(last: Request, this: Request, reported: bool, caching: Caching) -> Cause:
    """Why the provider did not find what it was sent before."""
    if not reported:
        return Cause.UNREPORTED
    if caching.retention is not None and this.at - last.at > caching.retention:
        return Cause.EXPIRED
    return Cause.EVICTED


def prompt_digest(prefix: FrozenPrefix) -> str:
    """Digest of a frozen system prompt."""
    return digest(prefix.system_prompt)


def tools_digest(prefix: FrozenPrefix) -> str:
    """Digest of frozen tool definitions."""
    return digest(canonical([[tool.name, tool.description, tool.parameters] for tool in prefix.tools]))


def frozen_digest(prompt: str, tools: str) -> str:
    """One digest of both, by which an applied prefix is known again."""
    return digest(prompt + tools)


def digest(text: str) -> str:
    """What the ledger writes in place of a text: 128 bits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _software() -> str:
    sources = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    libraries = [version(name) for name in ("pydantic-ai-slim", "openai", "anthropic")]
    return hashlib.sha256(b"".join([*sources, *map(str.encode, libraries)])).hexdigest()[:32]


SOFTWARE = _software()
"""Digest of the software that turns rows into bytes: this package's source, and the libraries' versions. Made at
import: it reads the disk, which the event loop must not wait for."""
