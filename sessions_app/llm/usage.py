"""Tokens, as a provider has counted them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_ai.models import StreamedResponse

MAX_TOKENS = 100_000_000
"""Tokens of one request that are believed: more than any model takes, and few enough that what a turn's requests sum to
and cost fits its columns."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more steps, as the provider counted them.

    `input_tokens` is the whole prompt; `cached_tokens` (read from the provider's cache) and `cache_write_tokens`
    (newly put there) are disjoint parts of it; `long_write_tokens` of the latter were written to be kept for an hour,
    which costs more. `reasoning_tokens` is a part of `output_tokens`. So `fresh_tokens`,
    both cache's, `answer_tokens` and `reasoning_tokens` are disjoint, and together all that the provider counted.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    long_write_tokens: int = 0

    @property
    def fresh_tokens(self) -> int:
        """The part of the prompt that the provider read as new and keeps no longer than the request."""
        return self.input_tokens - self.cached_tokens - self.cache_write_tokens

    @property
    def answer_tokens(self) -> int:
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
            self.long_write_tokens + other.long_write_tokens,
        )


def usage_of(stream: StreamedResponse | None) -> Usage:
    """Tokens as the provider has counted them so far, cut down to what can be: nonsense must not cost the answer."""
    if stream is None:
        return Usage()
    usage = stream.usage
    prompt, answer = _believed(usage.input_tokens, MAX_TOKENS), _believed(usage.output_tokens, MAX_TOKENS)
    cached = _believed(usage.cache_read_tokens, prompt)
    written = _believed(usage.cache_write_tokens, prompt - cached)
    return Usage(
        input_tokens=prompt,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=answer,
        reasoning_tokens=_believed(usage.output_reasoning_tokens, answer),
        long_write_tokens=_believed(getattr(usage, "cache_write_1h_tokens", 0), written),
    )


def _believed(count: object, most: int) -> int:
    """A count between none and `most`; no library on the way checks what a server calls a number."""
    return min(max(int(count), 0), most) if isinstance(count, int) else 0
