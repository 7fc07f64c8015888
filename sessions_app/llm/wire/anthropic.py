"""Anthropic's messages, streamed: a message's start, its content blocks, what ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sessions_app.llm.finish import Finish
from sessions_app.llm.wire.chunks import Chunk, delta
from sessions_app.llm.wire.reading import Frame, Reader, counts_of, error_of, number_of, object_of, objects_of, text_of

FINISHES: dict[str, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "context",
    "pause_turn": "pause",
    "refusal": "refusal",
}
"""`stop_reason` → why an answer is not whole; with any other ("end_turn", "stop_sequence", "tool_use") it is."""

_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_BEGINNINGS = {"text": "text", "thinking": "thinking"}
"""Where a block may have a beginning of its text already."""
_TEXT_FIELDS = ("id", "name", "signature", "data")
_BLOCKS = ("text", "thinking", "redacted_thinking", "tool_use")


class AnthropicReader(Reader):
    """Reads `message_*` and `content_block_*` events. Each block gets an index of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[object, int | None] = {}
        self._count = 0
        self._inputs: dict[int, Frame] = {}
        self._counted: Frame = {"input_tokens": 0, "output_tokens": 0}

    def read(self, name: str, frame: Frame) -> Iterator[Chunk]:
        """See `Reader`."""
        match text_of(frame.get("type")) or name:
            case "error" if not self.ended:
                yield Chunk({"type": "error", "error": error_of(frame) or {}}, name="error")
            case "message_start":
                message = object_of(frame.get("message"))
                self._counted |= counts_of(message.get("usage"))
                yield _named("message_start", {"message": message | {"content": [], "usage": self._counted}})
            case "content_block_start":
                yield from self._start(frame.get("index"), object_of(frame.get("content_block")))
            case "content_block_delta":
                yield from self._delta(frame.get("index"), object_of(frame.get("delta")))
            case "content_block_stop":
                yield from self._stop(frame.get("index"))
            case "message_delta":
                yield from self._message_delta(frame, object_of(frame.get("delta")))
            case "message_stop":
                self.over(None)
                self.done = True
                yield _named("message_stop", {})

    def whole(self, body: Frame) -> Iterator[Chunk]:
        """See `Reader`."""
        if error_of(body) is not None:
            yield from self.read("error", body)
            return
        yield from self.read("message_start", {"message": body | {"stop_reason": None}})
        for index, block in enumerate(objects_of(body.get("content"))):
            yield from self._start(index, block)
            yield from self._stop(index)
        stop = {"stop_reason": body.get("stop_reason"), "stop_sequence": body.get("stop_sequence")}
        yield from self._message_delta({"usage": body.get("usage")}, stop)
        yield from self.read("message_stop", {})

    def _start(self, key: object, block: Frame) -> Iterator[Chunk]:
        if block.get("type") not in _BLOCKS:
            self._blocks[key] = None
            return
        index = self._blocks[key] = self._count
        self._count += 1
        if block["type"] == "tool_use":
            self._inputs[index] = object_of(block.get("input"))
            block = block | {"input": {}}
        field = _BEGINNINGS.get(block["type"], "")
        kept = {name: text_of(value) if name in _TEXT_FIELDS else value for name, value in block.items()}
        begun = kept | ({field: ""} if field else {})
        frame = {"index": index, "content_block": begun}
        yield _named("content_block_start", frame, speaks=block["type"] == "tool_use")
        if text := text_of(block.get(field)):
            yield from self._delta(key, {"type": f"{field}_delta", field: text})

    def _index_of(self, key: object) -> int | None:
        """The index that a block has got; None where it is of a kind that means nothing here."""
        return self._blocks.get(key, number_of(key) or 0)

    def _delta(self, key: object, part: Frame) -> Iterator[Chunk]:
        index, kind = self._index_of(key), text_of(part.get("type"))
        if index is None:
            return
        if field := _TEXTS.get(kind):
            if text := text_of(part.get(field)):
                self._inputs.pop(index, None)
                frame = {"type": "content_block_delta", "index": index, "delta": {"type": kind, field: ""}}
                yield delta(frame, ("delta", field), text, "content_block_delta")
        elif kind == "citations_delta" or text_of(part.get("signature")):
            yield _named("content_block_delta", {"index": index, "delta": part})

    def _stop(self, key: object) -> Iterator[Chunk]:
        """The end of a block. A call that came with its whole input, and no deltas, gets them now."""
        index = self._index_of(key)
        if index is None:
            return
        if given := self._inputs.pop(index, None):
            yield from self._delta(key, {"type": "input_json_delta", "partial_json": json.dumps(given)})
        yield _named("content_block_stop", {"index": index})

    def _message_delta(self, frame: Frame, part: Frame) -> Iterator[Chunk]:
        counts = counts_of(frame.get("usage"))
        self._counted["output_tokens"] = counts.get("output_tokens", self._counted["output_tokens"])
        reason = text_of(part.get("stop_reason"))
        if reason:
            self.over(FINISHES.get(reason))
        part = part | {"stop_reason": reason or None}
        # Counts are those of the message so far: a frame that has none must not take them back.
        usage = counts | {"output_tokens": self._counted["output_tokens"]}
        yield _named("message_delta", {"delta": part, "usage": usage})


def _named(kind: str, frame: Frame, *, speaks: bool = False) -> Chunk:
    return Chunk({**frame, "type": kind}, name=kind, speaks=speaks)
