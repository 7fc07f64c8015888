"""Usage as an honest provider counts it: what is cached is the longest prefix it has really seen before.

OpenAI and servers like it keep every prompt by themselves. Anthropic keeps one up to each of its breakpoints, and looks
for an earlier one no more than twenty blocks before them (its guide on prompt caching). It keeps it for as long as the
breakpoint says, from its last use on; where its guide leaves something open, the cache here does what costs more.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BYTES_PER_TOKEN = 4
BREAKPOINTS, LOOKBACK = 4, 20
REMEMBERED = 200
"""Prompts kept for each model; a real cache is finite too."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of one request: `prompt` in all, of them `cached` were seen before and `written` are kept from now on.

    `long` of the written ones are kept for an hour, and cost more.
    """

    prompt: int
    cached: int
    written: int = 0
    long: int = 0


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


SECONDS = {"5m": 300.0, "1h": 3600.0}
"""Anthropic's times to live, and how long each is."""


def blocks_of(body: dict[str, Any]) -> list[tuple[bytes, str]]:
    """The blocks of an Anthropic request as a model reads them, each with the time of a breakpoint behind it."""
    system = body.get("system", [])
    blocks = [
        *body.get("tools", []),
        *([{"type": "text", "text": system}] if isinstance(system, str) else system),
        *(block for message in body["messages"] for block in _content_of(message)),
    ]
    marked = [_time_of(block) for block in blocks]
    marked[-1] = _time_of(body) or marked[-1]
    plain = [{name: value for name, value in block.items() if name != "cache_control"} for block in blocks]
    said = [json.dumps(block, separators=(",", ":")).encode() for block in plain]
    return list(zip(said, marked, strict=True))


def _time_of(block: dict[str, Any]) -> str:
    """The time to live of a breakpoint; empty where there is none."""
    control = block.get("cache_control")
    return control.get("ttl", "5m") if control else ""


def _content_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [{"role": message["role"], **block} for block in blocks]


class BreakpointCache:
    """Anthropic's cache: the prompts up to each breakpoint, by model, while their time to live has not passed.

    `clock` is what it reads the time by, in seconds. What a request finds is kept on from then; what it finds is one
    place, and it is no use of earlier ones.
    """

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, bytes], tuple[str, float]] = {}

    def forget(self) -> None:
        """Forget every prompt."""
        self._kept.clear()

    def count(self, body: dict[str, Any]) -> Counted:
        """Count a request's prompt and keep it up to its breakpoints."""
        blocks, now = blocks_of(body), self._clock()
        times = {place: time for place, (_, time) in enumerate(blocks, 1) if time}
        assert len(times) <= BREAKPOINTS, "Anthropic refuses more"
        assert list(times.values()) == sorted(times.values()), "Anthropic wants the longest time first"
        prompts = [b"".join(block for block, _ in blocks[:place]) for place in range(len(blocks) + 1)]
        model = str(body.get("model"))
        self._kept = {key: (time, until) for key, (time, until) in self._kept.items() if now <= until}
        found = 0
        for place in times:
            near = range(place, max(place - LOOKBACK, found), -1)
            found = next((there for there in near if (model, prompts[there]) in self._kept), found)
        used = {place: time for place, time in times.items() if place > found}
        if found:
            used[found] = self._kept[model, prompts[found]][0]
        self._kept |= {(model, prompts[place]): (time, now + SECONDS[time]) for place, time in used.items()}
        ends = (len(blocks), found, max(used, default=0), max([found, *(p for p in used if used[p] == "1h")]))
        prompt, cached, kept, long = (len(prompts[place]) // BYTES_PER_TOKEN for place in ends)
        return Counted(prompt, cached, kept - cached, long - cached)
