"""Chat completions and their chunks, as OpenAI's types have them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sessions_app.openai_api.following import CallDelta, End

DONE = b"data: [DONE]\n\n"
ALIVE = b": the model is at work\n\n"
"""A comment, which clients of server-sent events leave out."""

_FINISH = {
    "length": "length",
    "context": "length",
    "budget": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}


class Completion:
    """The answer of one run to a client. ``model`` is what the client has called it."""

    def __init__(self, run_id: UUID, model: str) -> None:
        self._frame = {"id": f"chatcmpl-{run_id.hex}", "created": int(time.time()), "model": model}

    def whole(self, text: str, end: End) -> bytes:
        """Return the body of an answer that is not streamed."""
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if end.calls:
            calls = [_call(call["id"], call["name"], call["arguments"]) for call in end.calls]
            message |= {"content": text or None, "tool_calls": calls}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(end)}
        body = {**self._frame, "object": "chat.completion", "choices": [choice], "usage": usage_of(end.usage)}
        return json.dumps(body | _awaited(end), ensure_ascii=False).encode()

    def first(self, options: dict[str, Any]) -> bytes:
        """Return the chunk that says who speaks. ``options``: what all chunks have besides."""
        return self._chunk({"role": "assistant", "content": ""}, None, options)

    def words(self, text: str, options: dict[str, Any]) -> bytes:
        """Return a chunk of the answer."""
        return self._chunk({"content": text}, None, options)

    def call(self, delta: CallDelta, options: dict[str, Any]) -> bytes:
        """Return a chunk of a call: its beginning, or more of its arguments."""
        more: dict[str, Any] = {"function": {"arguments": delta.arguments}}
        call = _call(delta.call_id, delta.name, "") if delta.name else more
        return self._chunk({"tool_calls": [{"index": delta.index, **call}]}, None, options)

    def last(self, end: End, options: dict[str, Any]) -> bytes:
        """Return the chunk that says why the answer ends."""
        return self._chunk({}, _reason(end), options | _awaited(end))

    def counted(self, usage: Iterable[dict[str, Any]]) -> bytes:
        """Return the chunk behind the last one, which tells what was used."""
        return _event({**self._frame, "object": "chat.completion.chunk", "choices": [], "usage": usage_of(usage)})

    def _chunk(self, delta: dict[str, Any], reason: str | None, options: dict[str, Any]) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _event({**self._frame, "object": "chat.completion.chunk", "choices": [choice], **options})


def _awaited(end: End) -> dict[str, Any]:
    """Return what an answer says beside OpenAI's fields: the calls that its user must approve, in the page."""
    return {"interrupts": end.interrupts} if end.interrupts else {}


def _reason(end: End) -> str:
    return "tool_calls" if end.calls else _FINISH.get(end.finish or "", "stop")


def _call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def usage_of(told: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return OpenAI's usage, of AG-UI's: one entry for each model that was used."""
    counts = list(told)

    def total(name: str) -> int:
        return sum(each.get(name) or 0 for each in counts)

    prompt, answer = total("inputTokens"), total("outputTokens")
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": total("cachedInputTokens")},
        "completion_tokens_details": {"reasoning_tokens": total("reasoningTokens")},
    }
