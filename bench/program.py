"""A program that knows nothing of sessions: by OpenAI's API it sends all that was said, with each question."""

from __future__ import annotations

import json
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import httpx2

from bench.client import PATIENCE, Asked
from bench.timing import Timing

# The profile that a site begins with.
_MODEL = "Default"


class Program:
    """One conversation with the host at `url`; `session_id` is what the host calls it, empty before an answer."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx2.AsyncClient(base_url=f"{url}v1", headers=headers, timeout=PATIENCE)
        self._said: list[dict[str, str]] = []
        self.session_id = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def turn(self, asked: Asked) -> Timing:
        """Ask, and read the answer as it streams."""
        self._said.append({"role": "user", "content": asked.text})
        body = {"model": _MODEL, "messages": self._said, "stream": True}
        began, first, text = perf_counter(), 0.0, ""
        async with self._client.stream("POST", "/chat/completions", json=body) as response:
            self.session_id = response.headers.get("x-session-id", "")
            async for line in response.aiter_lines():
                if word := _word(line):
                    first = first or perf_counter()
                    text += word
        self._said.append({"role": "assistant", "content": text})
        return Timing((first or perf_counter()) - began, perf_counter() - began, text == asked.answer)


def _word(line: str) -> str:
    """Return what a line of the stream says; empty where it is no word."""
    if not line.startswith("data: {"):
        return ""
    choices: list[dict[str, Any]] = json.loads(line[6:]).get("choices", [])
    return (choices[0]["delta"].get("content") or "") if choices else ""
