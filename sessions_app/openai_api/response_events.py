"""The events of a response that is streamed, as OpenAI's types have them, made of what its run says.

They are numbered from 0. An answer's item is done when it is known whether it is whole: once it is stored, or the run
has ended.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sessions_app.models import FactName, MessageRole
from sessions_app.openai_api.ids import call_item_id, thought_item_id
from sessions_app.openai_api.items import COMPLETED, INCOMPLETE, Item, status_of
from sessions_app.openai_api.items_under_way import Answer, Call, Event, Thought

_ENDS = {"completed": "completed", "failed": "failed"}


class ResponseEvents:
    """The events of one response. Lives as long as the request that they answer.

    ``tools`` are the names of the program's own: what the host's do is not told.
    """

    def __init__(self, tools: Collection[str] = ()) -> None:
        self._tools = tools
        self._sequence = 0
        self._index = -1
        self._answer: Answer | None = None
        self._thought: Thought | None = None
        self._calls: dict[str, Call] = {}
        self._called: dict[str, int] = {}
        self._stored: dict[str, str] = {}

    def begin(self, response: dict[str, Any]) -> bytes:
        """Return the events that tell that a response was begun."""
        kind = "response.queued" if response["status"] == "queued" else "response.in_progress"
        return self._encoded({"type": each, "response": response} for each in ("response.created", kind))

    def repeat(self, items: Iterable[Item], message_id: str | None = None, text: str = "") -> bytes:
        """Return the events of items that were done before, and of the answer under way as far as it has come."""
        told = [event for item in items for event in self._whole(item)]
        if message_id is not None:
            self._answer = Answer(message_id, self._next_index)
            told += self._answer.add(text)
        return self._encoded(told)

    def hear(self, event: dict[str, Any]) -> bytes:
        """Return the events that an event of the run is, none for many."""
        return self._encoded(self._heard(event))

    def end(self, response: dict[str, Any]) -> bytes:
        """Return the events that end a response, which is told as it is stored."""
        calls = [event for call_id in list(self._calls) for event in self._end_call(call_id, INCOMPLETE)]
        closing = [*self._end_thought(), *calls, *self._end_answer(INCOMPLETE)]
        kind = _ENDS.get(response["status"], "incomplete")
        return self._encoded([*closing, {"type": f"response.{kind}", "response": response}])

    def fail(self, error: dict[str, Any]) -> bytes:
        """Return the event that says why nothing more comes."""
        return self._encoded([{"type": "error", **{name: error[name] for name in ("code", "message", "param")}}])

    def _heard(self, event: dict[str, Any]) -> Iterable[Event]:
        match event["type"].partition("_")[0]:
            case "REASONING":
                return self._think(event)
            case "TEXT":
                return self._speak(event)
            case "TOOL":
                return self._call(event)
            case "CUSTOM":
                return self._note(event)
        return ()

    def _think(self, event: dict[str, Any]) -> Iterator[Event]:
        match event["type"]:
            case "REASONING_MESSAGE_START":
                self._thought = Thought(thought_item_id(event["messageId"]), self._next_index())
                yield from self._thought.begin()
            case "REASONING_MESSAGE_CONTENT" if self._thought is not None:
                yield from self._thought.add(event["delta"])
            case "REASONING_MESSAGE_END":
                yield from self._end_thought()

    def _speak(self, event: dict[str, Any]) -> Iterator[Event]:
        match event["type"]:
            case "TEXT_MESSAGE_START":
                yield from self._end_answer(COMPLETED)
                self._answer = Answer(event["messageId"], self._next_index)
            case "TEXT_MESSAGE_CONTENT" if self._answer is not None:
                yield from self._answer.add(event["delta"])
            case "TEXT_MESSAGE_END" if self._answer is not None:
                self._answer.has_ended = True
                if (status := self._stored.get(self._answer.message_id)) is not None:
                    yield from self._end_answer(status)

    def _call(self, event: dict[str, Any]) -> Iterator[Event]:
        call_id = event["toolCallId"]
        match event["type"]:
            case "TOOL_CALL_START" if event["toolCallName"] in self._tools:
                message_id = event["parentMessageId"]
                self._called[message_id] = number = self._called.get(message_id, 0) + 1
                item_id = call_item_id(message_id, number)
                self._calls[call_id] = call = Call(item_id, call_id, event["toolCallName"], self._next_index())
                yield from call.begin()
            case "TOOL_CALL_ARGS" if call_id in self._calls:
                yield from self._calls[call_id].add(event["delta"])
            case "TOOL_CALL_END":
                yield from self._end_call(call_id, COMPLETED)

    def _note(self, event: dict[str, Any]) -> Iterator[Event]:
        """Take the fact that an answer was stored: it says whether that is whole."""
        value = event.get("value")
        if event.get("name") != FactName.MESSAGE_CREATED or not value or value["role"] != MessageRole.ASSISTANT:
            return
        status = self._stored[value["id"]] = status_of(value["status"], value["finish"])
        if self._answer is not None and self._answer.message_id == value["id"] and self._answer.has_ended:
            yield from self._end_answer(status)

    def _end_thought(self) -> Iterator[Event]:
        thought, self._thought = self._thought, None
        if thought is not None:
            yield from thought.end()

    def _end_answer(self, status: str) -> Iterator[Event]:
        answer, self._answer = self._answer, None
        if answer is not None:
            yield from answer.end(status)

    def _end_call(self, call_id: str, status: str) -> Iterator[Event]:
        if (call := self._calls.pop(call_id, None)) is not None:
            yield from call.end(status)

    def _whole(self, item: Item) -> Iterator[Event]:
        """Yield the events of an item that is done."""
        match item["type"]:
            case "reasoning":
                thought = Thought(item["id"], self._next_index())
                yield from (*thought.begin(), *thought.add(item["summary"][0]["text"]), *thought.end())
            case "function_call":
                call = Call(item["id"], item["call_id"], item["name"], self._next_index())
                yield from (*call.begin(), *call.add(item["arguments"]), *call.end(item["status"]))
            case "message":
                answer = Answer(item["id"].removeprefix("msg_"), self._next_index)
                yield from (*answer.add(item["content"][0]["text"]), *answer.end(item["status"]))

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
