"""What one step (one request to a model) yields while it streams, and what it amounts to: plain values."""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.content.parts import Parts, ToolCall
from sessions_app.llm.finish import Finish
from sessions_app.llm.usage import Usage


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


StepEvent = TextDelta | ReasoningDelta | ToolCallStart | ToolCallArgs | ToolCallEnd


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step has amounted to so far; the whole answer once the stream has ended.

    `text` is what the `TextDelta`s said, without a beginning that turned out to be a thought. `parts` is
    what is stored beside it (none: the text is all). `finish` is None while the stream has not
    ended. `entry` is its line in the ledger, None where the provider has counted nothing. `began`: a provider has begun
    to answer, so it has cost something, counted or not.
    """

    text: str
    parts: Parts
    calls: tuple[ToolCall, ...]
    usage: Usage
    provider: str
    model: str
    finish: Finish | None
    entry: Entry | None
    began: bool = False
