"""Usage as an honest provider counts it: what is cached is the longest prefix it has really seen before."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

BYTES_PER_TOKEN = 4
REMEMBERED = 200
"""Prompts kept for each model; a real cache is finite too."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of one request: `prompt` in all, `cached` of them seen before."""

    prompt: int
    cached: int


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
