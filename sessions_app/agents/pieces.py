"""What one step (one request to a model) yields while it streams, and what it amounts to: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .ledger import Entry


Finish = Literal["length", "content_filter", "refusal", "context", "pause"]
"""Why an answer is not whole, although its provider has ended it as it should: it reached the length limit, a filter
or the model itself ended it, the model's window is full, the provider paused."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Some more characters of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """Some more characters of what the model says about its reasoning; never part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    """The model begins to call a tool."""

    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallArgs:
    """Some more characters of a call's arguments, which together are JSON (if the model writes it well)."""

    call_id: str
    delta: str


@dataclass(frozen=True, slots=True)
class ToolCallEnd:
    """A call's arguments are whole."""

    call_id: str


Piece = TextDelta | ReasoningDelta | ToolCallStart | ToolCallArgs | ToolCallEnd


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model made it: `arguments` is JSON text, unchecked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more steps, as the provider counted them.

    `input_tokens` is the whole prompt; `cached_tokens` (read from the provider's cache) and `cache_write_tokens`
    (newly put there) are disjoint parts of it. `reasoning_tokens` is a part of `output_tokens`. So `fresh_tokens`,
    both cache's, `said_tokens` and `reasoning_tokens` are disjoint, and together all that the provider counted.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def fresh_tokens(self) -> int:
        """The part of the prompt that the provider read as new and keeps no longer than the request."""
        return self.input_tokens - self.cached_tokens - self.cache_write_tokens

    @property
    def said_tokens(self) -> int:
        """The part of the answer that is no reasoning."""
        return self.output_tokens - self.reasoning_tokens

    def __add__(self, other: Usage) -> Usage:
        """The sum of both, field by field."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step has amounted to so far; the whole answer once the stream has ended.

    `text` is what the `TextDelta`s said, without a beginning that turned out to be a thought. `parts` goes into the
    row's `parts` column as it is (None: nothing to keep besides the text). `finish` is None while the stream has not
    ended. `entry` is its line in the ledger, None where the provider has counted nothing.
    """

    text: str
    parts: list[dict[str, Any]] | None
    calls: tuple[ToolCall, ...]
    usage: Usage
    provider: str
    model: str
    finish: Finish | None
    entry: Entry | None
