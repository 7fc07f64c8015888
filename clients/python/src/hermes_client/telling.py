"""One run's events, each once and none missing, of what arrives over several connections.

What arrives is run events, numbered, of which some are missed while there is no connection; the answer to
``session.open``, which has the text of the message under way up to a number; and messages, once they are stored, each
as a whole. Whatever of the answer has not been told is told by whichever comes first, as events that the server could
have sent; what comes later and was told is dropped. So the result is a well-formed AG-UI stream, and its text is the
answer's.

A step's thoughts have no place in them, so after a gap they are told when the step is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hermes_client.types import ErrorShape, MessageShape, RunShape

Event = dict[str, Any]
_ENDS = ("RUN_FINISHED", "RUN_ERROR")


class Telling:
    """What has been told of a run. Each method yields the events that are to be told now."""

    def __init__(self, session_id: str, run_id: str) -> None:
        self.over = False
        self._run = {"threadId": session_id, "runId": run_id}
        self._seq = 0
        self._started = False
        self._texts: dict[str, str] = {}  # of each message what was told of it
        self._calls: dict[str, str] = {}  # of each call its arguments so far
        self._open: dict[str, Event] = {}  # by id what has begun and not ended: the event that ends it
        self._results: set[str] = set()
        self._thought = ""  # of the step under way
        self._has_gap = False  # since the step under way began

    def lacks(self, seq: int | None, event: Event) -> bool:
        """Tell whether something before an event is missing: then the session is to be opened again."""
        if self.over or seq is None or seq <= self._seq + 1:
            return False
        is_text = event["type"] == "TEXT_MESSAGE_CONTENT"
        # Text that goes on from what is here may stand for several events.
        return not (is_text and event["metadata"]["offset"] == len(self._texts.get(event["messageId"], "")))

    def take(self, seq: int | None, event: Event) -> Iterator[Event]:
        """Tell an event that came by itself and lacks nothing."""
        if self.over or (seq is not None and seq <= self._seq):
            return
        if seq is not None:
            self._has_gap = self._has_gap or seq > self._seq + 1
            self._seq = seq
        if event["type"] in _ENDS:
            yield from self._finish(event)
        elif event["type"] == "TEXT_MESSAGE_CONTENT":
            yield from self._start()
            told, offset = self._texts.get(event["messageId"], ""), event["metadata"]["offset"]
            if offset <= len(told):
                yield from self._text(event["messageId"], told[:offset] + event["delta"])
        elif self._is_new(event):
            yield from self._start()
            yield self._note(event)

    def resume(self, run: RunShape) -> Iterator[Event]:
        """Tell what ``session.open`` says of this run, which goes on."""
        if self.over or run["seq"] <= self._seq:
            return
        self._has_gap, self._seq = True, run["seq"]
        yield from self._start()
        yield from self._text(run["message_id"], run["text"])

    def store(self, message: MessageShape) -> Iterator[Event]:
        """Tell what is missing of a message of this run that is stored by now."""
        if self.over:
            return
        yield from self._start()
        if message["role"] == "tool":
            yield from self._result(message)
            return
        if message.get("kind") is None:
            yield from self._reasoning(message)
            yield from self._text(message["id"], message["text"])
            yield from self._end(message["id"])
            for call in message.get("tool_calls") or []:
                yield from self._call(call["id"], call["name"], call["arguments"], message["id"])
        self._thought, self._has_gap = "", False

    def end(self, status: str, error: ErrorShape | None) -> Iterator[Event]:
        """Tell that the turn has ended, of which no event comes any more."""
        if error is not None:
            yield from self._finish({"type": "RUN_ERROR", "message": error["text"], "code": error["code"]})
        elif status == "complete":
            yield from self._finish({"type": "RUN_FINISHED", **self._run})
        else:
            yield from self.cancel()

    def cancel(self) -> Iterator[Event]:
        """Tell that the run was stopped, or never began."""
        yield from self._finish({"type": "RUN_FINISHED", **self._run, "outcome": {"type": "cancelled"}})

    def fail(self, code: str, text: str) -> Iterator[Event]:
        """Tell that the run is lost."""
        yield from self._finish({"type": "RUN_ERROR", "message": text, "code": code})

    def _finish(self, event: Event) -> Iterator[Event]:
        if not self.over:
            yield from self._start()
            for each in list(self._open):
                yield from self._end(each)
            self.over = True
            yield event

    def _start(self) -> Iterator[Event]:
        if not self._started:
            self._started = True
            yield {"type": "RUN_STARTED", **self._run}

    def _is_new(self, event: Event) -> bool:
        match event["type"]:
            case "RUN_STARTED":
                is_new, self._started = not self._started, True
                return is_new
            case "TEXT_MESSAGE_START":
                return event["messageId"] not in self._texts
            case "TOOL_CALL_START":
                return event["toolCallId"] not in self._calls
            case "TOOL_CALL_RESULT":
                return event["toolCallId"] in self._calls and event["toolCallId"] not in self._results
            case "REASONING_START" | "REASONING_MESSAGE_START":
                return not self._has_gap
            case "STEP_STARTED":
                return True
        # A piece of something, or its end.
        return self._key(event) in self._open

    def _key(self, event: Event) -> str:
        if event["type"] == "REASONING_END":
            return f"{event['messageId']} as a whole"
        return str(event.get("toolCallId") or event.get("messageId") or event.get("stepName") or event["type"])

    def _note(self, event: Event) -> Event:
        """Take down what is told by this."""
        key = self._key(event)
        match event["type"]:
            case "TEXT_MESSAGE_START":
                self._texts[key] = ""
                self._open[key] = {"type": "TEXT_MESSAGE_END", "messageId": key}
            case "TEXT_MESSAGE_CONTENT":
                self._texts[key] += event["delta"]
            case "TOOL_CALL_START":
                self._calls[key] = ""
                self._open[key] = {"type": "TOOL_CALL_END", "toolCallId": key}
            case "TOOL_CALL_ARGS":
                self._calls[key] += event["delta"]
            case "TOOL_CALL_RESULT":
                self._results.add(key)
            case "REASONING_START":
                self._open[f"{key} as a whole"] = {"type": "REASONING_END", "messageId": key}
            case "REASONING_MESSAGE_START":
                self._open[key] = {"type": "REASONING_MESSAGE_END", "messageId": key}
            case "REASONING_MESSAGE_CONTENT":
                self._thought += event["delta"]
            case "STEP_STARTED":
                self._open[key] = {"type": "STEP_FINISHED", "stepName": key}
            case _:
                self._open.pop(key, None)
        return event

    def _end(self, key: str) -> Iterator[Event]:
        if (event := self._open.pop(key, None)) is not None:
            yield event

    def _text(self, message_id: str, text: str) -> Iterator[Event]:
        told = self._texts.get(message_id, "")
        if len(text) <= len(told) or not text.startswith(told):
            return
        if message_id not in self._texts:
            yield self._note({"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"})
        if message_id in self._open:
            delta, metadata = text[len(told) :], {"offset": len(told)}
            yield self._note(
                {"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": delta, "metadata": metadata}
            )

    def _reasoning(self, message: MessageShape) -> Iterator[Event]:
        for key in [key for key, end in self._open.items() if end["type"].startswith("REASONING")][::-1]:
            yield from self._end(key)
        thought = message.get("reasoning") or ""
        # What was told as text may have turned out to be thoughts.
        is_text = message["text"].startswith(self._texts.get(message["id"], ""))
        if not is_text or not thought.startswith(self._thought) or thought == self._thought:
            return
        thought_id = {"messageId": f"{message['id']}-reasoning"}
        yield {"type": "REASONING_START", **thought_id}
        yield {"type": "REASONING_MESSAGE_START", **thought_id, "role": "reasoning"}
        yield {"type": "REASONING_MESSAGE_CONTENT", **thought_id, "delta": thought[len(self._thought) :]}
        yield {"type": "REASONING_MESSAGE_END", **thought_id}
        yield {"type": "REASONING_END", **thought_id}

    def _call(self, call_id: str, name: str, arguments: str, message_id: str) -> Iterator[Event]:
        if call_id not in self._calls:
            start = {"toolCallId": call_id, "toolCallName": name, "parentMessageId": message_id}
            yield self._note({"type": "TOOL_CALL_START", **start})
        told = self._calls[call_id]
        if call_id in self._open and arguments.startswith(told) and arguments != told:
            yield self._note({"type": "TOOL_CALL_ARGS", "toolCallId": call_id, "delta": arguments[len(told) :]})
        yield from self._end(call_id)

    def _result(self, message: MessageShape) -> Iterator[Event]:
        call_id = message.get("tool_call_id") or ""
        if call_id in self._calls and call_id not in self._results:
            result = {"messageId": message["id"], "toolCallId": call_id, "content": message["text"], "role": "tool"}
            yield self._note({"type": "TOOL_CALL_RESULT", **result})
