"""OpenAI's Responses API, streamed: `POST /v1/responses`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .chat import failure as failure
from .diagnoses import diagnose, remember
from .events import Event, Mark, argued, named, spoken
from .script import Answer, numbered
from .tokens import Counted


def stream(answer: Answer, body: dict[str, Any], counted: Counted) -> Iterator[Event | Mark]:
    """The events of an answer, with marks where the script may hold or break it."""
    items: list[dict[str, Any]] = []
    response = {
        "id": numbered("resp"),
        "object": "response",
        "created_at": 1700000000,
        "model": body["model"],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [],
    }
    # It is compared while it is answered.
    pending = {"prompt_cache_diagnostics": {"type": "unavailable"}} if "prompt_cache_options" in body else {}
    yield named({"type": "response.created", "response": response | pending | {"status": "in_progress"}})
    if answer.reasoning:
        yield from _reasoning(answer.reasoning, items)
    if answer.words or not answer.calls:
        yield from _text(answer, items)
    for number in range(len(answer.calls)):
        yield from _call(answer, number, items)
    whole = response | {"status": "completed", "output": items, "usage": _usage(answer, counted)}
    if (diagnosis := diagnose(body, counted)) is not None:
        whole["prompt_cache_diagnostics"] = diagnosis
    remember(whole["id"], body)
    yield named({"type": "response.completed", "response": whole})


def _item(event: str, index: int, item: dict[str, Any]) -> Event:
    return named({"type": f"response.output_item.{event}", "output_index": index, "item": item})


def _reasoning(thoughts: list[str], items: list[dict[str, Any]]) -> Iterator[Event]:
    index, item_id = len(items), numbered("rs")
    item = {"id": item_id, "type": "reasoning", "summary": []}
    place = {"item_id": item_id, "output_index": index, "summary_index": 0}
    empty, text = {"type": "summary_text", "text": ""}, "".join(thoughts)
    yield _item("added", index, item)
    yield named({"type": "response.reasoning_summary_part.added", **place, "part": empty})
    for thought in thoughts:
        yield named({"type": "response.reasoning_summary_text.delta", **place, "delta": thought})
    yield named({"type": "response.reasoning_summary_text.done", **place, "text": text})
    yield named({"type": "response.reasoning_summary_part.done", **place, "part": empty | {"text": text}})
    items.append(item | {"summary": [empty | {"text": text}], "encrypted_content": f"sealed-{item_id}"})
    yield _item("done", index, items[-1])


def _text(answer: Answer, items: list[dict[str, Any]]) -> Iterator[Event | Mark]:
    index, item_id = len(items), numbered("msg")
    item = {"id": item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    place = {"item_id": item_id, "output_index": index, "content_index": 0}
    part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
    whole = part | {"text": "".join(answer.words)}
    yield _item("added", index, item)
    yield named({"type": "response.content_part.added", **place, "part": part})
    yield from spoken(
        answer,
        lambda word: named({"type": "response.output_text.delta", **place, "delta": word, "logprobs": []}),
    )
    yield named({"type": "response.output_text.done", **place, "text": whole["text"], "logprobs": []})
    yield named({"type": "response.content_part.done", **place, "part": whole})
    items.append(item | {"status": "completed", "content": [whole]})
    yield _item("done", index, items[-1])


def _call(answer: Answer, number: int, items: list[dict[str, Any]]) -> Iterator[Event | Mark]:
    call = answer.calls[number]
    index, item_id = len(items), numbered("fc")
    item = {"id": item_id, "type": "function_call", "call_id": call.id, "name": call.name, "arguments": ""}
    place = {"item_id": item_id, "output_index": index}
    yield _item("added", index, item | {"status": "in_progress"})
    delta = {"type": "response.function_call_arguments.delta", **place}
    yield from argued(answer, number, lambda piece: named(delta | {"delta": piece}))
    done = {"type": "response.function_call_arguments.done", **place}
    yield named(done | {"arguments": call.arguments, "name": call.name})
    items.append(item | {"arguments": call.arguments, "status": "completed"})
    yield _item("done", index, items[-1])


def _usage(answer: Answer, counted: Counted) -> dict[str, Any]:
    output = len(answer.words) + len(answer.reasoning) + len(answer.calls)
    return {
        "input_tokens": counted.prompt,
        "input_tokens_details": {"cached_tokens": counted.cached, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": len(answer.reasoning)},
        "total_tokens": counted.prompt + output,
    }


def broken(message: str) -> Event:
    """An error in mid-stream."""
    return named({"type": "error", "code": "server_error", "message": message, "param": None})
