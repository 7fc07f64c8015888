"""What is stored of an answer beside its text: Pydantic AI's response taken into typed parts.

The way back, to the provider, is `restored`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sessions_app.llm.content.parts import SEPARATOR, Origin, Part, Parts, Reasoning, TextSpan, ToolCall
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.content.restored import digest_of
from sessions_app.llm.content.thinking_tags import ThinkingTags
from sessions_app.llm.content.unicode import clean

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse


def parts_of(response: ModelResponse, model: str) -> Parts:
    """What must be stored beside the text of an answer that came to its end; none if the text is all."""
    from pydantic_ai.messages import TextPart

    texts = Texts([part.content for part in response.parts if isinstance(part, TextPart)])
    parts = list(_taken(response, texts))
    if all(isinstance(part, TextSpan) and part.id is None and part.details is None for part in parts):
        return ()
    origin = Origin(
        model, digest_of(texts.whole), response.provider_name, response.provider_url, response.canonical_system
    )
    return (origin, *parts)


def of_clients(parts: Parts, tools: Iterable[ToolSpec]) -> Parts:
    """The parts of an answer, in which the calls of these tools are marked as a client's own."""
    names = {tool.name for tool in tools}
    return tuple(
        replace(part, client=True) if isinstance(part, ToolCall) and part.name in names else part for part in parts
    )


class Texts:
    """The texts of one answer as they are stored: `whole`, with the `places` (start, length) of each in it, and the
    `thought` that stood between tags. What `stream_events` reads of the same answer as it comes."""

    def __init__(self, texts: Iterable[str]) -> None:
        tags = ThinkingTags()
        said = ""
        ends: list[tuple[int, int]] = []
        for text in texts:
            if ends and text:
                said += _words(tags.part(SEPARATOR))
            start = len(said)
            said += _words(tags.feed(clean(text)))
            ends.append((start, len(said)))
        if ends:
            said += _words(tags.end())
            ends[-1] = (ends[-1][0], len(said))
        cut = len(said) - len(said[tags.moved :].lstrip()) if tags.moved else 0
        self.whole = said[cut:]
        self.thought = tags.thought
        self.places = [(max(0, start - cut), max(0, end - cut) - max(0, start - cut)) for start, end in ends]


def _words(told: Iterable[tuple[str, str]]) -> str:
    return "".join(text for kind, text in told if kind == "text")


def _taken(response: ModelResponse, texts: Texts) -> Iterator[Part]:
    """The parts of a response, in its order."""
    from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

    taken: set[str] = set()
    places = iter(texts.places)
    thought = texts.thought
    for part in response.parts:
        if isinstance(part, TextPart):
            start, length = next(places)
            if thought:
                yield Reasoning(thought, id="content", tagged=True)
                thought = ""
            if length:
                yield TextSpan(start, length, _clean(part.id), _details(part.provider_details))
        elif isinstance(part, ThinkingPart):
            details = _details(part.provider_details)
            yield Reasoning(clean(part.content), _clean(part.id), _clean(part.signature), details)
        elif isinstance(part, ToolCallPart):
            call_id, name = own_id(part.tool_call_id, taken), clean(part.tool_name)
            arguments = clean(part.args_as_json_str())
            yield ToolCall(call_id, name, arguments, _clean(part.id), _details(part.provider_details))


def kept_thought(text: str) -> Parts:
    """What is stored beside the text of an answer that did not come to its end: what was thought, for people."""
    return (Reasoning(text),) if text.strip() else ()


def own_id(call_id: str, taken: set[str]) -> str:
    """The id of an answer's next call, clean and unlike those `taken` before it, which it joins."""
    call_id = clean(call_id)
    while call_id in taken:  # some servers number calls carelessly; one result must belong to one call
        call_id += "+"
    taken.add(call_id)
    return call_id


def _clean(value: str | None) -> str | None:
    return clean(value) if value else None


def _details(details: dict[str, Any] | None) -> str | None:
    return clean(json.dumps(details, ensure_ascii=False, default=str)) if details else None


def are_whole(calls: Iterable[ToolCall]) -> bool:
    """Whether no call was cut in the middle of its arguments: Pydantic AI wraps what is no JSON."""
    from pydantic_ai.messages import INVALID_JSON_KEY

    return not any(call.arguments.startswith(f'{{"{INVALID_JSON_KEY}"') for call in calls)
