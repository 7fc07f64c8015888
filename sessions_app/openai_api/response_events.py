"""The events of a response that is streamed, as OpenAI's types have them, made of what its run says.

They are numbered from 0. An answer's item begins with its first word that is not blank, because a blank one is no part
of the answer, and is done when it is known whether it is whole: once it is stored, or the run has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sessions_app.models import FactName, MessageRole
from sessions_app.openai_api.ids import message_item_id, thought_item_id
from sessions_app.openai_api.items import (
    COMPLETED,
    IN_PROGRESS,
    INCOMPLETE,
    Item,
    answer_item,
    status_of,
    text_part,
    thought_item,
)

Event = dict[str, Any]

_ENDS = {"completed": "completed", "failed": "failed"}


class ResponseEvents:
    """The events of one response. Lives as long as the request that they answer."""

    def __init__(self) -> None:
        self._sequence = 0
        self._index = -1
        self._answer: _Answer | None = None
        self._thought: _Thought | None = None
        self._stored: dict[str, str] = {}

    def begin(self, response: dict[str, Any]) -> bytes:
        """Return the events that tell that a response was begun."""
        waits = response["status"] == "queued"
        return self._encoded(
            [
                {"type": "response.created", "response": response},
                {"type": "response.queued" if waits else "response.in_progress", "response": response},
            ]
        )

    def repeat(self, items: Iterable[Item], message_id: str | None = None, text: str = "") -> bytes:
        """Return the events of items that were done before, and of the answer under way as far as it has come."""
        told: list[Event] = []
        for item in items:
            told += self._whole(item)
        if message_id is not None:
            self._answer = _Answer(message_id)
            told += self._words(text)
        return self._encoded(told)

    def hear(self, event: dict[str, Any]) -> bytes:
        """Return the events that an event of the run is, none for many."""
        return self._encoded(self._heard(event))

    def end(self, response: dict[str, Any]) -> bytes:
        """Return the events that end a response, which is told as it is stored."""
        closing = [*self._end_thought(), *self._end_answer(INCOMPLETE)]
        kind = _ENDS.get(response["status"], "incomplete")
        return self._encoded([*closing, {"type": f"response.{kind}", "response": response}])

    def fail(self, error: dict[str, Any]) -> bytes:
        """Return the event that says why nothing more comes."""
        return self._encoded([{"type": "error", **{name: error[name] for name in ("code", "message", "param")}}])

    def _heard(self, event: dict[str, Any]) -> Iterator[Event]:
        match event["type"]:
            case "REASONING_MESSAGE_START":
                yield from self._begin_thought(event["messageId"])
            case "REASONING_MESSAGE_CONTENT":
                yield from self._think(event["delta"])
            case "REASONING_MESSAGE_END":
                yield from self._end_thought()
            case "TEXT_MESSAGE_START":
                yield from self._end_answer(COMPLETED)
                self._answer = _Answer(event["messageId"])
            case "TEXT_MESSAGE_CONTENT":
                yield from self._words(event["delta"])
            case "TEXT_MESSAGE_END":
                yield from self._answer_ended()
            case "CUSTOM":
                yield from self._note(event)

    def _begin_thought(self, thought_id: str) -> Iterator[Event]:
        self._thought = thought = _Thought(thought_item_id(thought_id), self._next_index())
        yield self._added(thought_item(thought.item_id, None), thought.index)
        part = {"type": "summary_text", "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **thought.place, "part": part}

    def _think(self, delta: str) -> Iterator[Event]:
        if (thought := self._thought) is not None:
            thought.pieces.append(delta)
            yield {"type": "response.reasoning_summary_text.delta", **thought.place, "delta": delta}

    def _end_thought(self) -> Iterator[Event]:
        thought, self._thought = self._thought, None
        if thought is None:
            return
        text = "".join(thought.pieces)
        part = {"type": "summary_text", "text": text}
        yield {"type": "response.reasoning_summary_text.done", **thought.place, "text": text}
        yield {"type": "response.reasoning_summary_part.done", **thought.place, "part": part}
        yield self._done(thought_item(thought.item_id, text), thought.index)

    def _words(self, delta: str) -> Iterator[Event]:
        if (answer := self._answer) is None:
            return
        answer.pieces.append(delta)
        if answer.index is None:
            delta = "".join(answer.pieces)
            if not delta.strip():
                return
            answer.index = self._next_index()
            yield self._added(answer_item(answer.item_id, None, IN_PROGRESS), answer.index)
            yield {"type": "response.content_part.added", **answer.place, "part": text_part("")}
        yield {"type": "response.output_text.delta", **answer.place, "delta": delta, "logprobs": []}

    def _answer_ended(self) -> Iterator[Event]:
        if self._answer is not None:
            self._answer.has_ended = True
            if (status := self._stored.get(self._answer.message_id)) is not None:
                yield from self._end_answer(status)

    def _note(self, event: dict[str, Any]) -> Iterator[Event]:
        """Take the fact that an answer was stored: it says whether that is whole."""
        value = event.get("value")
        if event.get("name") != FactName.MESSAGE_CREATED or not value or value["role"] != MessageRole.ASSISTANT:
            return
        status = self._stored[value["id"]] = status_of(value["status"], value["finish"])
        if self._answer is not None and self._answer.message_id == value["id"] and self._answer.has_ended:
            yield from self._end_answer(status)

    def _end_answer(self, status: str) -> Iterator[Event]:
        answer, self._answer = self._answer, None
        if answer is None or answer.index is None:
            return
        text = "".join(answer.pieces)
        yield {"type": "response.output_text.done", **answer.place, "text": text, "logprobs": []}
        yield {"type": "response.content_part.done", **answer.place, "part": text_part(text)}
        yield self._done(answer_item(answer.item_id, text, status), answer.index)

    def _whole(self, item: Item) -> Iterator[Event]:
        """Yield the events of an item that is done."""
        if item["type"] == "reasoning":
            yield from self._begin_thought(item["id"].removeprefix("rs_"))
            yield from self._think(item["summary"][0]["text"])
            yield from self._end_thought()
        else:
            self._answer = _Answer(item["id"].removeprefix("msg_"))
            yield from self._words(item["content"][0]["text"])
            yield from self._end_answer(item["status"])

    def _added(self, item: Item, index: int) -> Event:
        return {"type": "response.output_item.added", "item": item, "output_index": index}

    def _done(self, item: Item, index: int) -> Event:
        return {"type": "response.output_item.done", "item": item, "output_index": index}

    def _next_index(self) -> int:
        self._index += 1
        return self._index

    def _encoded(self, events: Iterable[Event]) -> bytes:
        pieces = []
        for event in events:
            data = json.dumps({**event, "sequence_number": self._sequence}, ensure_ascii=False)
            pieces.append(f"event: {event['type']}\ndata: {data}\n\n".encode())
            self._sequence += 1
        return b"".join(pieces)


class _Thought:
    """A thought under way."""

    def __init__(self, item_id: str, index: int) -> None:
        self.item_id = item_id
        self.index = index
        self.pieces: list[str] = []
        self.place = {"item_id": item_id, "output_index": index, "summary_index": 0}


class _Answer:
    """An answer under way; without an ``index`` it has no word yet that is not blank."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.item_id = message_item_id(message_id)
        self.index: int | None = None
        self.pieces: list[str] = []
        self.has_ended = False

    @property
    def place(self) -> dict[str, Any]:
        """Where its text stands in the response."""
        return {"item_id": self.item_id, "output_index": self.index, "content_index": 0}
