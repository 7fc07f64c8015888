"""Pydantic AI's stream events unfolded into pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .answers import SEPARATOR, own_id
from .pieces import Piece, ReasoningDelta, TextDelta, ToolCallArgs, ToolCallEnd, ToolCallStart
from .unicode import clean

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponsePart, ModelResponsePartDelta, ModelResponseStreamEvent


class Unfolding:
    """Turns one answer's events into pieces and keeps the text of it. `begun` is set by the first piece."""

    def __init__(self) -> None:
        self.begun = False
        self._texts: list[str] = []
        self._text_part: int | None = None
        self._calls: dict[int, str] = {}
        self._taken: set[str] = set()

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._texts)

    def pieces(self, event: ModelResponseStreamEvent) -> Iterator[Piece]:
        """The pieces of one event, none that is empty."""
        from pydantic_ai.messages import PartDeltaEvent, PartEndEvent, PartStartEvent

        if isinstance(event, PartStartEvent):
            pieces = self._started(event.index, event.part)
        elif isinstance(event, PartDeltaEvent):
            pieces = self._went_on(event.index, event.delta)
        elif isinstance(event, PartEndEvent):
            pieces = self._ended(event.index)
        else:
            return
        for piece in pieces:
            self.begun = True
            yield piece

    def _started(self, index: int, part: ModelResponsePart) -> Iterator[Piece]:
        from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

        if isinstance(part, TextPart):
            yield from self._spoke(index, part.content)
        elif isinstance(part, ThinkingPart) and part.content:
            yield ReasoningDelta(clean(part.content))
        elif isinstance(part, ToolCallPart):
            call_id = self._calls[index] = own_id(part.tool_call_id, self._taken)
            yield ToolCallStart(call_id, clean(part.tool_name))
            if part.args:
                yield ToolCallArgs(call_id, clean(part.args_as_json_str()))

    def _went_on(self, index: int, delta: ModelResponsePartDelta) -> Iterator[Piece]:
        from pydantic_ai.messages import TextPartDelta, ThinkingPartDelta, ToolCallPartDelta

        if isinstance(delta, TextPartDelta):
            yield from self._spoke(index, delta.content_delta)
        elif isinstance(delta, ThinkingPartDelta) and delta.content_delta:
            yield ReasoningDelta(clean(delta.content_delta))
        elif isinstance(delta, ToolCallPartDelta) and index in self._calls:
            if isinstance(arguments := delta.args_delta, dict):
                arguments = json.dumps(arguments)
            if arguments:
                yield ToolCallArgs(self._calls[index], clean(arguments))

    def _ended(self, index: int) -> Iterator[Piece]:
        if call_id := self._calls.pop(index, None):
            yield ToolCallEnd(call_id)

    def _spoke(self, index: int, text: str) -> Iterator[Piece]:
        """Some text; a second text part is set off from the first, as it will be in what is stored."""
        if not text:
            return
        parted = self._text_part not in (None, index)
        self._text_part = index
        text = (SEPARATOR if parted else "") + clean(text)
        self._texts.append(text)
        yield TextDelta(text)
