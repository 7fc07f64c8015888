"""Pydantic AI's stream events read as step events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sessions_app.llm.content.parts import SEPARATOR, raw_thought
from sessions_app.llm.content.response_parts import own_id
from sessions_app.llm.content.thinking_tags import ThinkingTags
from sessions_app.llm.content.unicode import clean
from sessions_app.llm.step_events import ReasoningDelta, StepEvent, TextDelta, ToolCallArgs, ToolCallEnd, ToolCallStart

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponsePart, ModelResponsePartDelta, ModelResponseStreamEvent


class AnswerEvents:
    """Turns the events of one answer into step events and keeps its text. `begun` is set by the first.

    It takes `longest` characters at most, of words, thoughts and calls together: then it is `full`.
    """

    def __init__(self, longest: int) -> None:
        self.begun = False
        self._room = longest
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._tags = ThinkingTags()
        self._text_part: int | None = None
        self._calls: dict[int, str] = {}
        self._taken: set[str] = set()

    @property
    def text(self) -> str:
        """What was said so far, without a beginning that turned out to be a thought."""
        text = "".join(self._texts)
        return text[self._tags.moved :].lstrip() if self._tags.moved else text

    @property
    def reasoning(self) -> str:
        """What was thought so far."""
        moved = self._tags.thought if self._tags.moved else ""
        return moved + "".join(self._thoughts)

    @property
    def full(self) -> bool:
        """Whether nothing more is taken."""
        return self._room < 0

    def read(self, event: ModelResponseStreamEvent) -> Iterator[StepEvent]:
        """The step events of one event of the stream, none that is empty."""
        from pydantic_ai.messages import PartDeltaEvent, PartEndEvent, PartStartEvent

        if isinstance(event, PartStartEvent):
            events = self._part_start(event.index, event.part)
        elif isinstance(event, PartDeltaEvent):
            events = self._part_delta(event.index, event.delta)
        elif isinstance(event, PartEndEvent):
            events = self._part_end(event.index)
        else:
            return
        yield from self._bounded(events)

    def end(self) -> Iterator[StepEvent]:
        """What was held back, because it might have become a tag."""
        yield from self._bounded(self._split(self._tags.end()))

    def _bounded(self, events: Iterator[StepEvent]) -> Iterator[StepEvent]:
        """The step events, the last one cut where the answer is full."""
        for step_event in events:
            if self.full:
                return
            if (kept := self._kept(step_event)) is not None:
                self.begun = True
                yield kept

    def _kept(self, step_event: StepEvent) -> StepEvent | None:
        """The step event, as far as there is room for it."""
        if isinstance(step_event, ToolCallArgs):
            self._room -= len(step_event.delta)
        if not isinstance(step_event, TextDelta | ReasoningDelta):
            return step_event
        kept = replace(step_event, text=step_event.text[: self._room])
        self._room -= len(step_event.text)
        (self._texts if isinstance(kept, TextDelta) else self._thoughts).append(kept.text)
        return kept if kept.text else None

    def _part_start(self, index: int, part: ModelResponsePart) -> Iterator[StepEvent]:
        from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

        if isinstance(part, TextPart):
            yield from self._text(index, part.content)
        elif isinstance(part, ThinkingPart):
            yield from self._reasoning(part.content or raw_thought(part.provider_details))
        elif isinstance(part, ToolCallPart):
            call_id = self._calls[index] = own_id(part.tool_call_id, self._taken)
            yield ToolCallStart(call_id, clean(part.tool_name))
            if part.args:
                yield ToolCallArgs(call_id, clean(part.args_as_json_str()))

    def _part_delta(self, index: int, delta: ModelResponsePartDelta) -> Iterator[StepEvent]:
        from pydantic_ai.messages import TextPartDelta, ThinkingPartDelta, ToolCallPartDelta

        if isinstance(delta, TextPartDelta):
            yield from self._text(index, delta.content_delta)
        elif isinstance(delta, ThinkingPartDelta):
            details = delta.provider_details
            yield from self._reasoning(
                delta.content_delta or raw_thought(details({}) if callable(details) else details)
            )
        elif isinstance(delta, ToolCallPartDelta) and index in self._calls:
            if isinstance(arguments := delta.args_delta, dict):
                arguments = json.dumps(arguments)
            if arguments:
                yield ToolCallArgs(self._calls[index], clean(arguments))

    def _part_end(self, index: int) -> Iterator[StepEvent]:
        if call_id := self._calls.pop(index, None):
            yield ToolCallEnd(call_id)

    def _reasoning(self, text: str) -> Iterator[StepEvent]:
        if text:
            yield ReasoningDelta(clean(text))

    def _text(self, index: int, text: str) -> Iterator[StepEvent]:
        """Some text. Where the answer begins, it may be a thought between tags."""
        if text and self._text_part not in (None, index):
            yield from self._split(self._tags.part(SEPARATOR))
        if text:
            self._text_part = index
            yield from self._split(self._tags.feed(text))

    def _split(self, kinds: Iterable[tuple[str, str]]) -> Iterator[StepEvent]:
        for kind, text in kinds:
            if kind == "reasoning":
                yield from self._reasoning(text)
            elif text:
                yield TextDelta(clean(text))
