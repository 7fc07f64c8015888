"""Usage as an honest provider counts it: what is cached is the longest prefix it has really seen before.

OpenAI and servers like it keep every prompt by themselves. Anthropic keeps one up to each of its breakpoints, and looks
for an earlier one no more than twenty blocks before them (its guide on prompt caching).
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

BYTES_PER_TOKEN = 4
BREAKPOINTS, LOOKBACK = 4, 20
REMEMBERED = 200
"""Prompts kept for each model; a real cache is finite too."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of one request: `prompt` in all, of them `cached` were seen before and `written` are kept from now on."""

    prompt: int
    cached: int
    written: int = 0


def prompt_of(body: dict[str, Any]) -> bytes:
    """The prompt in the order a model reads it: tools, system prompt, conversation."""
    conversation = body.get("messages", body.get("input"))
    return json.dumps([body.get("tools"), body.get("system"), conversation], separators=(",", ":")).encode()


def _common(one: bytes, other: bytes) -> int:
    """Length of the longest prefix they share, by halving: the comparisons are the interpreter's own."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


class PromptCache:
    """The latest prompts, by model; the longest common prefix with any of them counts as cached."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[bytes]] = {}

    def forget(self) -> None:
        """Forget every prompt."""
        self._seen.clear()

    def count(self, body: dict[str, Any]) -> Counted:
        """Count a request's prompt and remember it."""
        prompt = prompt_of(body)
        seen = self._seen.setdefault(str(body.get("model")), deque(maxlen=REMEMBERED))
        longest = 0
        for earlier in seen:
            if earlier[: longest + 1] == prompt[: longest + 1]:
                longest = _common(prompt, earlier)
        seen.appendleft(prompt)
        return Counted(len(prompt) // BYTES_PER_TOKEN, longest // BYTES_PER_TOKEN)


def blocks_of(body: dict[str, Any]) -> list[tuple[bytes, bool]]:
    """The blocks of an Anthropic request as a model reads them, each with whether a breakpoint is behind it."""
    system = body.get("system", [])
    blocks = [
        *body.get("tools", []),
        *([{"type": "text", "text": system}] if isinstance(system, str) else system),
        *(block for message in body["messages"] for block in _content_of(message)),
    ]
    marked = ["cache_control" in block for block in blocks]
    if "cache_control" in body:
        marked[-1] = True
    plain = [{name: value for name, value in block.items() if name != "cache_control"} for block in blocks]
    said = [json.dumps(block, separators=(",", ":")).encode() for block in plain]
    return list(zip(said, marked, strict=True))


def _content_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [{"role": message["role"], **block} for block in blocks]


class BreakpointCache:
    """Anthropic's cache: the prompts up to each breakpoint ever sent, by model."""

    def __init__(self) -> None:
        self._kept: set[tuple[str, bytes]] = set()

    def forget(self) -> None:
        """Forget every prompt."""
        self._kept.clear()

    def count(self, body: dict[str, Any]) -> Counted:
        """Count a request's prompt and keep it up to its breakpoints."""
        blocks = blocks_of(body)
        places = [place for place, (_, marked) in enumerate(blocks, 1) if marked]
        assert len(places) <= BREAKPOINTS, "Anthropic refuses more"
        prompts = [b"".join(block for block, _ in blocks[:place]) for place in range(len(blocks) + 1)]
        model = str(body.get("model"))
        found = 0
        for place in places:
            near = range(place, max(place - LOOKBACK, found), -1)
            found = next((there for there in near if (model, prompts[there]) in self._kept), found)
        self._kept |= {(model, prompts[place]) for place in places}
        prompt, cached, kept = (
            len(prompts[place]) // BYTES_PER_TOKEN for place in (-1, found, places[-1] if places else 0)
        )
        return Counted(prompt, cached, kept - cached)
