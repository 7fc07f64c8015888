"""Pydantic AI's stream events unfolded into pieces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from .answers import SEPARATOR, own_id, raw_thought
from .pieces import Piece, ReasoningDelta, TextDelta, ToolCallArgs, ToolCallEnd, ToolCallStart
from .thinking_tags import ThinkingTags
from .unicode import clean

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponsePart, ModelResponsePartDelta, ModelResponseStreamEvent


class Unfolding:
    """Turns one answer's events into pieces and keeps the text of it. `begun` is set by the first piece.

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
        yield from self._bounded(pieces)

    def end(self) -> Iterator[Piece]:
        """What was held back, because it might have become a tag."""
        yield from self._bounded(self._told(self._tags.end()))

    def _bounded(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The pieces, the last one cut where the answer is full."""
        for piece in pieces:
            if self.full:
                return
            if (kept := self._kept(piece)) is not None:
                self.begun = True
                yield kept

    def _kept(self, piece: Piece) -> Piece | None:
        """The piece, as far as there is room for it."""
        if isinstance(piece, ToolCallArgs):
            self._room -= len(piece.delta)
        if not isinstance(piece, TextDelta | ReasoningDelta):
            return piece
        kept = replace(piece, text=piece.text[: self._room])
        self._room -= len(piece.text)
        (self._texts if isinstance(kept, TextDelta) else self._thoughts).append(kept.text)
        return kept if kept.text else None

    def _started(self, index: int, part: ModelResponsePart) -> Iterator[Piece]:
        from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

        if isinstance(part, TextPart):
            yield from self._spoke(index, part.content)
        elif isinstance(part, ThinkingPart):
            yield from self._thought(part.content or raw_thought(part.provider_details))
        elif isinstance(part, ToolCallPart):
            call_id = self._calls[index] = own_id(part.tool_call_id, self._taken)
            yield ToolCallStart(call_id, clean(part.tool_name))
            if part.args:
                yield ToolCallArgs(call_id, clean(part.args_as_json_str()))

    def _went_on(self, index: int, delta: ModelResponsePartDelta) -> Iterator[Piece]:
        from pydantic_ai.messages import TextPartDelta, ThinkingPartDelta, ToolCallPartDelta

        if isinstance(delta, TextPartDelta):
            yield from self._spoke(index, delta.content_delta)
        elif isinstance(delta, ThinkingPartDelta):
            details = delta.provider_details
            yield from self._thought(delta.content_delta or raw_thought(details({}) if callable(details) else details))
        elif isinstance(delta, ToolCallPartDelta) and index in self._calls:
            if isinstance(arguments := delta.args_delta, dict):
                arguments = json.dumps(arguments)
            if arguments:
                yield ToolCallArgs(self._calls[index], clean(arguments))

    def _ended(self, index: int) -> Iterator[Piece]:
        if call_id := self._calls.pop(index, None):
            yield ToolCallEnd(call_id)

    def _thought(self, text: str) -> Iterator[Piece]:
        if text:
            yield ReasoningDelta(clean(text))

    def _spoke(self, index: int, text: str) -> Iterator[Piece]:
        """Some text. Where the answer begins, it may be a thought between tags."""
        if text and self._text_part not in (None, index):
            yield from self._told(self._tags.part(SEPARATOR))
        if text:
            self._text_part = index
            yield from self._told(self._tags.feed(text))

    def _told(self, told: Iterable[tuple[str, str]]) -> Iterator[Piece]:
        for kind, text in told:
            if kind == "reasoning":
                yield from self._thought(text)
            elif text:
                yield TextDelta(clean(text))
