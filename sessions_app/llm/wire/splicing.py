"""Constant cost on the wire: Pydantic AI maps only what is new, and the rest is spliced in as bytes kept from before.

A request is built by Pydantic AI and the provider's own SDK from a marker message and the rows not serialised yet.
The transport, beneath both, puts the kept elements of the conversation in the marker's place, writes every body in
one fixed JSON form, and hands back the bytes of the new elements to be kept for the next request. Further markers
between rows tell apart whose the elements are (`grouping`); they are not sent. So a turn costs
the same at message 10 and at message 10,000, and bytes once sent never change.

It rests on one property, which the oracle test checks for each wire: *an element depends only on its own row (and a
call's results)*, never on its neighbours.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from sessions_app.llm.content.files import filled, referenced

if TYPE_CHECKING:
    from sessions_app.llm.wire.reading import Reader


MARKER = f"the conversation so far, {secrets.token_hex(16)}"
"""Stands for the kept elements in a request; unguessable, so that nobody can say it."""

FIELDS = ("messages", "input")
"""Where a body keeps its conversation: chat completions and Anthropic messages; Responses."""


BESIDE = (
    *("prompt_cache_key", "prompt_cache_options", "cache_control"),
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "temperature", "top_p", "stop", "stop_sequences"),
    "parallel_tool_calls",
)
"""What no prompt depends on: which of the provider's caches to ask, what it is to compare, and for how long it is to
keep the conversation; how long and how random the answer is to be, and how many tools it may call. With OpenAI's wires
`tool_choice` too: with Anthropic another one has the conversation read again."""


def _nothing() -> None:
    return


@dataclass(slots=True)
class Splice:
    """One request's splice: what goes in, and what the request added.

    `kept` is the elements of the earlier conversation, serialised and joined by commas. What is not `is_sent` is
    mapped and serialised only (its answer is an error). `prefix` is the digest of all that stands before and beside
    the conversation, the same for all sessions that begin alike. `added` is what the request adds, as the sections
    between which markers stood. `answer` is what reads the answer that came back; `on_bytes` and `on_words` hear of
    each piece of it, `on_end` once the provider has said that it is over, and `max_answer` are the most characters
    that are wanted of it. `images` are the pictures that are sent, as base64 by their names; what is kept and added
    only refers to them.
    """

    kept: bytes
    is_sent: bool = True
    prefix: str = ""
    added: list[list[bytes]] = field(default_factory=list)
    answer: Reader | None = None
    on_bytes: Callable[[], None] = _nothing
    on_words: Callable[[], None] = _nothing
    on_end: Callable[[], None] = _nothing
    max_answer: int = 1_000_000
    images: Mapping[str, bytes] = field(default_factory=dict)

    def body(self, content: bytes) -> bytes:
        """The whole body for a body that holds the marker; remembers the elements behind it."""
        frame: dict[str, Any] = json.loads(content)
        # Pydantic AI takes the last count of an answer, where it would add them up, only if it asks for each: not every
        # server knows the question.
        frame.get("stream_options", {}).pop("continuous_usage_stats", None)
        name = next(name for name in FIELDS if name in frame)
        elements = [referenced(dumped(element)) for element in frame[name]]
        place = next(index for index, element in enumerate(elements) if MARKER.encode() in element)
        self.added = _apart(elements[place + 1 :])
        self.prefix = _prefix_digest({**frame, name: None}, elements[:place])
        frame[name] = [MARKER]
        head, tail = dumped(frame).split(dumped(MARKER), 1)
        kept = [self.kept] if self.kept else []
        body = b"".join([head, b",".join([*elements[:place], *kept, *chain.from_iterable(self.added)]), tail])
        return filled(body, self.images) if self.is_sent else body


def _apart(elements: list[bytes]) -> list[list[bytes]]:
    """Elements as the sections between which markers stand."""
    sections: list[list[bytes]] = [[]]
    for element in elements:
        if MARKER.encode() in element:
            sections.append([])
        else:
            sections[-1].append(element)
    return sections


def _prefix_digest(frame: dict[str, Any], elements: list[bytes]) -> str:
    for name in BESIDE:
        frame.pop(name, None)
    choice = frame.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") == "function":
        frame.pop("tool_choice", None)
    return hashlib.sha256(b",".join([dumped(frame), *elements])).hexdigest()[:32]


def dumped(value: object) -> bytes:
    """The one JSON form of everything sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


splice: ContextVar[Splice | None] = ContextVar("splice", default=None)
"""The splice of the request that this task is making."""
