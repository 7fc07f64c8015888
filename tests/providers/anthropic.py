"""Anthropic's messages, streamed: `POST /v1/messages`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .events import Event, Mark, argued, named, spoken
from .script import Answer, numbered
from .tokens import Counted


def stream(answer: Answer, body: dict[str, Any], counted: Counted) -> Iterator[Event | Mark]:
    """The events of an answer, with marks where the script may hold or break it."""
    usage = {
        "input_tokens": counted.prompt - counted.cached - counted.written,
        "cache_read_input_tokens": counted.cached,
        "cache_creation_input_tokens": counted.written,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counted.written - counted.long,
            "ephemeral_1h_input_tokens": counted.long,
        },
        "output_tokens": 1,
    }
    message = {"id": numbered("msg"), "type": "message", "role": "assistant", "model": body["model"], "content": []}
    yield named({"type": "message_start", "message": message | {"stop_reason": None, "usage": usage}})
    index = 0
    if answer.reasoning:
        yield from _thinking(index, answer.reasoning)
        index += 1
    if answer.words or not answer.calls:
        yield from _text(index, answer)
        index += 1
    for number in range(len(answer.calls)):
        yield from _call(index + number, answer, number)
    output = len(answer.words) + len(answer.reasoning) + len(answer.calls)
    stop = {"stop_reason": "tool_use" if answer.calls else "end_turn", "stop_sequence": None}
    yield named({"type": "message_delta", "delta": stop, "usage": {"output_tokens": output}})
    yield named({"type": "message_stop"})


def _start(index: int, block: dict[str, Any]) -> Event:
    return named({"type": "content_block_start", "index": index, "content_block": block})


def _delta(index: int, delta: dict[str, Any]) -> Event:
    return named({"type": "content_block_delta", "index": index, "delta": delta})


def _stop(index: int) -> Event:
    return named({"type": "content_block_stop", "index": index})


def _thinking(index: int, thoughts: list[str]) -> Iterator[Event]:
    yield _start(index, {"type": "thinking", "thinking": "", "signature": ""})
    for thought in thoughts:
        yield _delta(index, {"type": "thinking_delta", "thinking": thought})
    yield _delta(index, {"type": "signature_delta", "signature": numbered("sig")})
    yield _stop(index)


def _text(index: int, answer: Answer) -> Iterator[Event | Mark]:
    yield _start(index, {"type": "text", "text": ""})
    yield from spoken(answer, lambda word: _delta(index, {"type": "text_delta", "text": word}))
    yield _stop(index)


def _call(index: int, answer: Answer, number: int) -> Iterator[Event | Mark]:
    call = answer.calls[number]
    yield _start(index, {"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
    yield from argued(answer, number, lambda piece: _delta(index, {"type": "input_json_delta", "partial_json": piece}))
    yield _stop(index)


def failure(message: str) -> dict[str, Any]:
    """The body of an HTTP error."""
    return {"type": "error", "error": {"type": "api_error", "message": message}}


def broken(message: str) -> Event:
    """An error in mid-stream."""
    return named(failure(message))
