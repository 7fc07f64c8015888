"""OpenAI's chat completions, as OpenAI and the many servers that speak like it send them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sessions_app.llm.finish import Finish
from sessions_app.llm.wire.chunks import Chunk, Path, delta
from sessions_app.llm.wire.reading import (
    Frame,
    Reader,
    arguments_of,
    counts_of,
    error_of,
    number_of,
    object_of,
    objects_of,
    text_of,
)

_DELTA: Path = ("choices", 0, "delta")
_ARGUMENTS: Path = (*_DELTA, "tool_calls", 0, "function", "arguments")

REASONING_FIELDS = ("reasoning", "reasoning_content")
"""Where servers put a thought: the first that is there counts, for some send the same one in both."""

FINISHES: dict[str, tuple[str, Finish | None]] = {
    "length": ("length", "length"),
    "max_tokens": ("length", "length"),
    "max_output_tokens": ("length", "length"),
    "model_length": ("length", "length"),
    "model_context_window_exceeded": ("length", "context"),
    "content_filter": ("content_filter", "content_filter"),
    "safety": ("content_filter", "content_filter"),
    "sensitive": ("content_filter", "content_filter"),
    "refusal": ("content_filter", "refusal"),
    "pause_turn": ("stop", "pause"),
    "tool_calls": ("tool_calls", None),
    "function_call": ("tool_calls", None),
}
"""A server's word for how an answer ended → OpenAI's word, and ours. Any other word means that it is whole: "stop",
"eos", "end_turn", "stop_sequence". Sources: the API references of OpenAI, DeepSeek, Mistral, Z.ai, Together, vLLM."""

BROKEN = {"error", "abort", "cancelled", "network_error", "insufficient_system_resource"}
"""Words by which a server says that it could not finish (OpenRouter and Mistral, vLLM, Z.ai, DeepSeek)."""


_NO_COUNTS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
"""What the SDK expects of any usage."""


class ChatReader(Reader):
    """Reads `chat.completion.chunk` objects."""

    def __init__(self) -> None:
        super().__init__()
        self._head: Frame = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": ""}
        self._calls = _Calls()
        self._counted: Frame = {}
        self._broken = False
        self._in_deltas = False

    def read(self, name: str, frame: Frame) -> Iterator[Chunk]:
        """See `Reader`."""
        if (error := error_of(frame)) is not None:
            if not self.ended:
                yield Chunk({"error": error})
            return
        if not all(self._head.values()):
            self._note_head(frame)
        choices = objects_of(frame.get("choices"))
        # One choice was asked for: any other is no part of the answer.
        choice = next((one for one in choices if not number_of(one.get("index"))), {})
        part = self._part_of(choice)
        yield from self._said(part)
        if part.get("tool_calls"):
            yield from self._called(part)
        if reason := choice.get("finish_reason"):
            yield from self._finished(reason)
        if usage := frame.get("usage"):
            yield from self._usage(object_of(usage))
        # The last chunk has the usage and no choice.
        self.done = self.ended and bool(self._counted) and not choices

    def last_mark(self) -> None:
        """See `Reader`: some servers never say how an answer ended but for this mark."""
        if not self._broken:
            self.over(None)
        self.done = True

    def whole(self, body: Frame) -> Iterator[Chunk]:
        """See `Reader`."""
        yield from self.read("", body)
        if objects_of(body.get("choices")):
            self.last_mark()

    def _note_head(self, frame: Frame) -> None:
        """Keep the first id, time and model that are named, so that all chunks are alike."""
        for field in ("id", "model"):
            self._head[field] = self._head[field] or text_of(frame.get(field))
        created = number_of(frame.get("created")) or 0
        self._head["created"] = self._head["created"] or (created if 0 < created < 2**32 else 0)

    def _chunk(self, part: Frame, finish: str | None = None) -> Frame:
        return self._head | {"choices": [{"index": 0, "delta": part, "finish_reason": finish}]}

    def _part_of(self, choice: Frame) -> Frame:
        """What a choice adds. Some servers send whole messages where others send deltas, and some behind them."""
        part = object_of(choice.get("delta"))
        self._in_deltas = self._in_deltas or bool(part)
        return part if self._in_deltas else object_of(choice.get("message"))

    def _said(self, part: Frame) -> Iterator[Chunk]:
        thoughts, words = _content(part.get("content"))
        for field in REASONING_FIELDS:
            if text := text_of(part.get(field)):
                yield delta(self._chunk({field: ""}), (*_DELTA, field), text)
                break
        if thoughts:
            yield delta(self._chunk({"reasoning_content": ""}), (*_DELTA, "reasoning_content"), thoughts)
        refusal = text_of(part.get("refusal"))
        if refusal:
            self.finish = "refusal"
        if said := words + refusal:
            yield delta(self._chunk({"content": ""}), (*_DELTA, "content"), said)

    def _called(self, part: Frame) -> Iterator[Chunk]:
        for call in objects_of(part.get("tool_calls")):
            for known, arguments in self._calls.read(call):
                chunk = self._chunk({"tool_calls": [known]})
                if arguments is None:
                    yield Chunk(chunk, speaks=True)
                else:
                    yield delta(chunk, _ARGUMENTS, arguments)

    def _finished(self, reason: object) -> Iterator[Chunk]:
        reason = text_of(reason).lower()
        if reason in BROKEN:
            self._broken = True
        if not reason or reason in BROKEN:
            return
        word, finish = FINISHES.get(reason, ("stop", None))
        self.over(finish)
        yield Chunk(self._chunk({}, word), ends=True)

    def _usage(self, usage: Frame) -> Iterator[Chunk]:
        """What has been counted so far; what a server counts only now and then stays as it was."""
        if counts := counts_of(usage):
            counts = _merged(self._counted, counts)
            if counts != self._counted:
                yield Chunk(self._head | {"choices": [], "usage": _NO_COUNTS | counts}, ends=True)
            self._counted = counts


def _content(content: object) -> tuple[str, str]:
    """The thoughts and the words of a content: a text, or a list of parts (Mistral's, some gateways')."""
    if isinstance(content, str):
        return "", content
    thoughts, words = "", ""
    for part in objects_of(content):
        if part.get("type") == "thinking":
            thoughts += text_of(part.get("thinking")) or _content(part.get("thinking"))[1]
        else:
            words += text_of(part.get("text"))
    return thoughts, words


def _merged(before: Frame, counts: Frame) -> Frame:
    return before | {
        name: _merged(object_of(before.get(name)), value) if isinstance(value, dict) else value
        for name, value in counts.items()
    }


class _Calls:
    """The tool calls of one answer, each at an index of its own.

    Servers differ in what they repeat: a call's name in each of its deltas, or one index for all calls. A delta begins
    another call where its id is another one, or where it names a tool after the arguments before it were whole.
    """

    def __init__(self) -> None:
        self._open: dict[object, _Call] = {}
        self._count = 0

    def read(self, part: Frame) -> Iterator[tuple[Frame, str | None]]:
        """What a delta adds: a call's beginning with None, more of its arguments with their text."""
        function = object_of(part.get("function"))
        call_id, name = text_of(part.get("id")), text_of(function.get("name"))
        arguments = arguments_of(function.get("arguments"))
        key = part.get("index") if number_of(part.get("index")) is not None else call_id or None
        call = self._open.get(key) if key is not None else self._last()
        if call is None or call.is_followed_by(call_id, name, arguments):
            call = self._begin(key)
            extra = {field: value for field, value in part.items() if field not in ("index", "id", "type", "function")}
            call.id, call.name = call_id, name
            yield call.frame(id=call_id or None, **extra) | {"function": {"name": name, "arguments": ""}}, None
        elif name and name != call.name:
            call.name += name
            yield call.frame() | {"function": {"name": name, "arguments": ""}}, None
        if arguments:
            call.arguments.append(arguments)
            yield call.frame() | {"function": {"arguments": ""}}, arguments

    def _last(self) -> _Call | None:
        return next(reversed(self._open.values()), None)

    def _begin(self, key: object) -> _Call:
        self._open.pop(key, None)
        call = self._open[self._count if key is None else key] = _Call(self._count)
        self._count += 1
        return call


class _Call:
    """One call, as far as it has come."""

    def __init__(self, index: int) -> None:
        self._index = index
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def frame(self, **fields: Any) -> Frame:
        """An entry of `tool_calls` for this call."""
        return {"index": self._index, "type": "function", **fields}

    def is_followed_by(self, call_id: str, name: str, arguments: str) -> bool:
        """Whether a delta at this call's index belongs to another call."""
        if call_id and self.id and call_id != self.id and name:
            return True
        if not (name and self.arguments and arguments.lstrip().startswith("{")):
            return False
        # Reading all arguments is for where they may end, not for each of their deltas.
        return self.arguments[-1].rstrip().endswith("}") and _is_whole("".join(self.arguments))


def _is_whole(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False
