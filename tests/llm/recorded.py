"""The streams under `streams/`, as each wire's documentation has them, and what the decoder makes of such bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sessions_app.llm.wire.anthropic import AnthropicReader
from sessions_app.llm.wire.chat import ChatReader
from sessions_app.llm.wire.chunks import joined
from sessions_app.llm.wire.decoder import AnswerDecoder
from sessions_app.llm.wire.reading import Reader
from sessions_app.llm.wire.responses import ResponsesReader

READERS: dict[str, type[Reader]] = {"chat": ChatReader, "responses": ResponsesReader, "anthropic": AnthropicReader}
NAMES = [f"{wire}_{what}" for wire in READERS for what in ("text", "thoughts", "calls")]
MAX_BYTES = 1_000_000
_STREAMS = {path.stem: path.read_bytes() for path in (Path(__file__).parent / "streams").glob("*.sse")}


def recorded(name: str) -> bytes:
    """The bytes of a stream."""
    return _STREAMS[name]


def reader_of(name: str) -> Reader:
    """A new reader of the stream's wire."""
    return READERS[name.partition("_")[0]]()


@dataclass
class Said:
    """What an answer says, put together from canonical frames without any of the project's own code."""

    text: str = ""
    thoughts: str = ""
    calls: dict[int, list[str]] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)

    def take(self, frame: dict[str, Any]) -> None:
        """Take in one frame of any wire."""
        kind = frame.get("type")
        if kind is None:
            self._chat(frame)
        elif kind.startswith("response."):
            self._responses(kind, frame)
        else:
            self._anthropic(kind, frame)

    def _chat(self, frame: dict[str, Any]) -> None:
        for name, count in (frame.get("usage") or {}).items():
            if isinstance(count, int):
                self.usage[name] = count
        for choice in frame["choices"]:
            self.text += choice["delta"].get("content", "")
            self.thoughts += choice["delta"].get("reasoning_content", "") + choice["delta"].get("reasoning", "")
            for call in choice["delta"].get("tool_calls", ()):
                known = self.calls.setdefault(call["index"], ["", "", ""])
                known[0] = call.get("id") or known[0]
                known[1] += call["function"].get("name", "")
                known[2] += call["function"]["arguments"]

    def _responses(self, kind: str, frame: dict[str, Any]) -> None:
        match kind:
            case "response.output_text.delta":
                self.text += frame["delta"]
            case "response.reasoning_summary_text.delta":
                self.thoughts += frame["delta"]
            case "response.output_item.added" if frame["item"]["type"] == "function_call":
                self.calls[len(self.calls)] = [frame["item"]["call_id"], frame["item"]["name"], ""]
            case "response.function_call_arguments.delta":
                self.calls[len(self.calls) - 1][2] += frame["delta"]
            case "response.completed":
                self.usage = {
                    name: count for name, count in frame["response"]["usage"].items() if isinstance(count, int)
                }

    def _anthropic(self, kind: str, frame: dict[str, Any]) -> None:
        if kind == "message_start":
            self.usage |= {name: n for name, n in frame["message"]["usage"].items() if isinstance(n, int)}
        elif kind == "message_delta":
            self.usage |= {name: n for name, n in frame["usage"].items() if isinstance(n, int)}
        elif kind == "content_block_start" and frame["content_block"]["type"] == "tool_use":
            block = frame["content_block"]
            self.calls[frame["index"]] = [block["id"], block["name"], ""]
        elif kind == "content_block_delta":
            delta = frame["delta"]
            self.text += delta.get("text", "")
            self.thoughts += delta.get("thinking", "")
            if "partial_json" in delta:
                self.calls[frame["index"]][2] += delta["partial_json"]


def said(reader: Reader, pieces: Iterable[bytes]) -> Said:
    """What a body says that comes in these pieces."""
    decoder = AnswerDecoder(reader, MAX_BYTES)
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    found = Said()
    for chunk in joined([*chunks, *decoder.end()]):
        data = chunk.encoded().decode().partition("data: ")[2]
        found.take(json.loads(data))
    return found
