"""How the tests here talk: a session in memory, turns over it, and what the provider was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest

from sessions_app.llm.agent import Agent
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.rows import Row, tool_row
from sessions_app.llm.providers import Providers
from sessions_app.llm.step_events import StepEvent, StepResult
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.tools.sources import Context
from sessions_app.llm.wire.splicing import FIELDS, dumped

CHAT, RESPONSES, MESSAGES = "openai-chat:m", "openai:gpt-5-mini", "anthropic:claude-sonnet-5-5"
WIRES = (CHAT, RESPONSES, MESSAGES)
ONE_IN_THE_SUITE = [CHAT, *(pytest.param(wire, marks=pytest.mark.thorough) for wire in (RESPONSES, MESSAGES))]
"""The wires, for a test of which the suite asks over the first."""
PREFIX = site_tools().freeze("You are helpful.", ["calculator", "search_chats"])


async def remembers(user_id: int, session_id: str) -> bool:
    return True


async def found(user_id: int, query: str, limit: int) -> list[str]:
    """A search that finds what it is told to."""
    return [f"{user_id}: {query}"]


@dataclass
class Session:
    """A session as a runner would hold it: rows as stored, and the transcript in memory."""

    providers: Providers
    model: str
    id: str = "11111111-1111-1111-1111-111111111111"
    prefix: FrozenPrefix = PREFIX
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.agent = Agent(self.providers, site_tools(), Context(1, found, remembers))
        self.rows = [replace(row, position=position) for position, row in enumerate(self.rows)]
        self.transcript = CachedTranscript(self.id, self.prefix, self.model, self.rows)
        self.events: list[StepEvent] = []
        self.results: list[StepResult] = []

    def store(self, row: Row) -> None:
        """Store a row and take it into memory."""
        self.rows.append(replace(row, position=len(self.rows)))
        self.transcript.append(self.rows[-1])

    def forget(self) -> None:
        """What an eviction or a restart does: the prefix comes out of its JSON and the rows are read again.

        The session's last request is stored with it.
        """
        prefix = FrozenPrefix.from_json(self.prefix.to_json())
        self.transcript = CachedTranscript(self.id, prefix, self.model, self.rows, last=self.transcript.last)

    async def step(self) -> StepResult:
        """One request; its events are kept. Whatever came of it is in `results`."""
        step = self.agent.step(self.transcript)
        try:
            async with step:
                async for event in step:
                    self.events.append(event)
        finally:
            self.results.append(step.result)
        return step.result

    async def turn(self, text: str) -> StepResult:
        """A whole turn, tools and all."""
        self.store(Row("user", text))
        while (result := await self.step()).calls:
            self.store(Row("assistant", result.text, result.parts))
            for call in result.calls:
                output = await self.agent.call(self.transcript, call)
                self.store(tool_row(call.id, call.name, output.text))
        self.store(Row("assistant", result.text, result.parts))
        return result


def split(body: bytes) -> tuple[bytes, list[bytes], bytes]:
    """A raw body as what stands before its conversation, the conversation's elements, and what stands behind.

    Without the time for which it is to be kept.
    """
    body = timeless(body)
    parsed = json.loads(body)
    name = next(name for name in FIELDS if name in parsed)
    elements = [dumped(element) for element in parsed[name]]
    head, tail = body.split(b",".join(elements), 1)
    return head, elements, tail


def timeless(body: bytes) -> bytes:
    """A raw body without the time for which Anthropic is to keep the conversation, which stands beside all it keeps."""
    frame = json.loads(body)
    return dumped(frame) if frame.pop("cache_control", None) else body


def extends(later: bytes, earlier: bytes) -> bool:
    """Whether a request repeats an earlier one byte for byte and then says more."""
    head, elements, tail = split(earlier)
    later_head, later_elements, later_tail = split(later)
    same_frame = (later_head, later_tail) == (head, tail)
    return same_frame and len(later_elements) > len(elements) and later_elements[: len(elements)] == elements
