"""OpenAI's chat completions, streamed: `POST /v1/chat/completions`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .events import Event, Mark, argued, spoken
from .script import Answer, numbered
from .tokens import Counted


def stream(answer: Answer, body: dict[str, Any], counted: Counted) -> Iterator[Event | Mark]:
    """The events of an answer, with marks where the script may hold or break it."""
    frame = {
        "id": numbered("chatcmpl"),
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": body["model"],
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> Event:
        return Event(None, frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    for thought in answer.reasoning:
        yield chunk({"reasoning_content": thought})
    yield from spoken(answer, lambda word: chunk({"content": word}))
    for index in range(len(answer.calls)):
        yield from _call(index, answer, chunk)
    yield chunk({}, "tool_calls" if answer.calls else "length" if answer.is_cut else "stop")
    yield Event(None, frame | {"choices": [], "usage": _usage(answer, counted)})
    yield Event(None, "[DONE]")


def _call(index: int, answer: Answer, chunk: Any) -> Iterator[Event | Mark]:
    call = answer.calls[index]
    head = {"name": call.name, "arguments": ""}
    yield chunk({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": head}]})
    yield from argued(
        answer, index, lambda piece: chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    )


def _usage(answer: Answer, counted: Counted) -> dict[str, Any]:
    output = len(answer.words) + len(answer.reasoning) + len(answer.calls)
    details = {} if answer.silent_cache else {"prompt_tokens_details": {"cached_tokens": counted.cached}}
    return {
        "prompt_tokens": counted.prompt,
        "completion_tokens": output,
        "total_tokens": counted.prompt + output,
        **details,
        "completion_tokens_details": {"reasoning_tokens": len(answer.reasoning)},
        **answer.counts,
    }


def failure(message: str) -> dict[str, Any]:
    """The body of an HTTP error."""
    return {"error": {"message": message, "type": "server_error", "param": None, "code": None}}


def broken(message: str) -> Event:
    """An error in mid-stream."""
    return Event(None, failure(message))
