"""An answer between its two forms: Pydantic AI's response, and a row's text with the `parts` beside it.

`parts` is a list of small objects, in the order of the answer:

- `{"kind": "origin", "model", "digest", "provider", "url", "system"}`: who made it, and the digest of its text
- `{"kind": "reasoning", "text", "id", "signature", "details", "tagged"}`: `tagged` where it stood between tags in the
  answer's own text (`thinking_tags`)
- `{"kind": "text", "start", "length", "id", "details"}`: where the row's text belongs among the others
- `{"kind": "call", "id", "name", "arguments", "item", "details"}`: `item` is the provider's own id

`arguments` and `details` (what else the provider gave) are JSON as text: PostgreSQL's jsonb would reorder their keys
and rewrite their numbers, and other bytes would go back than came.

Invariant: the row's text column is the authority. Reasoning, item ids and the order of parts go back only to the
model that made them, with the text they belong to, and only of an answer that came to its end: a signature over
something else is refused by the provider, or worse, believed (OpenAI reads its own copy of an item sent by id).
Reasoning without an origin is kept for people, and never goes back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .history import EPOCH, Row
from .pieces import ToolCall
from .thinking_tags import ThinkingTags
from .unicode import clean

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse, ModelResponsePart

SEPARATOR = "\n\n"
"""Between two texts of one answer (with a tool call between them, say)."""

TAG_WIRES = ("openai-chat:", "ollama:")
"""Models that get a thought back between tags, where it stood: the others' wires have no place for one like it."""


def parts_of(response: ModelResponse, model: str) -> list[dict[str, Any]] | None:
    """What must be stored beside the text of an answer that came to its end; None if the text is all."""
    from pydantic_ai.messages import TextPart

    texts = Texts([part.content for part in response.parts if isinstance(part, TextPart)])
    parts = list(_dumped(response, texts))
    if all(part["kind"] == "text" and not part.get("id") and not part.get("details") for part in parts):
        return None
    origin = {
        "kind": "origin",
        "model": model,
        "digest": digest_of(texts.whole),
        "provider": response.provider_name,
        "url": response.provider_url,
        "system": response.canonical_system,
    }
    return [origin, *parts]


class Texts:
    """The texts of one answer as they are stored: `whole`, with the `places` (start, length) of each in it, and the
    `thought` that stood between tags. The same as `streaming.Unfolding` tells piece by piece."""

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


def _dumped(response: ModelResponse, texts: Texts) -> Iterator[dict[str, Any]]:
    """The parts as small objects, in the order of the answer."""
    from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

    taken: set[str] = set()
    places = iter(texts.places)
    thought = texts.thought
    for part in response.parts:
        if isinstance(part, TextPart):
            start, length = next(places)
            if thought:
                yield {"kind": "reasoning", "text": thought, "id": "content", "tagged": True}
                thought = ""
            if length:
                place = {"kind": "text", "start": start, "length": length}
                yield place | _extras(part.provider_details, id=part.id)
        elif isinstance(part, ThinkingPart):
            shown = {"kind": "reasoning", "text": clean(part.content)}
            yield shown | _extras(part.provider_details, id=part.id, signature=part.signature)
        elif isinstance(part, ToolCallPart):
            call = {"kind": "call", "id": own_id(part.tool_call_id, taken), "name": clean(part.tool_name)}
            arguments = clean(part.args_as_json_str())
            yield call | {"arguments": arguments} | _extras(part.provider_details, item=part.id)


def kept_thought(text: str) -> list[dict[str, Any]] | None:
    """What is stored beside the text of an answer that did not come to its end: what was thought, for people."""
    return [{"kind": "reasoning", "text": text}] if text.strip() else None


def reasoning_of(parts: list[dict[str, Any]] | None) -> str:
    """What the model let be seen of its thoughts, from stored parts."""
    thoughts = [part for part in parts or () if part["kind"] == "reasoning"]
    texts = [part["text"] or raw_thought(json.loads(part.get("details", "{}"))) for part in thoughts]
    return SEPARATOR.join(text.strip() for text in texts if text.strip())


def raw_thought(details: dict[str, Any] | None) -> str:
    """A thought that open models give as it is, where others give a summary: Pydantic AI keeps it in the details."""
    return "".join((details or {}).get("raw_content") or ())


def own_id(call_id: str, taken: set[str]) -> str:
    """The id of an answer's next call, clean and unlike those `taken` before it, which it joins."""
    call_id = clean(call_id)
    while call_id in taken:  # some servers number calls carelessly; one result must belong to one call
        call_id += "+"
    taken.add(call_id)
    return call_id


def _extras(details: dict[str, Any] | None, **values: str | None) -> dict[str, str]:
    """Those of the values that are there."""
    extras = {name: clean(value) for name, value in values.items() if value}
    if details:
        extras["details"] = clean(json.dumps(details, ensure_ascii=False, default=str))
    return extras


def tool_calls(parts: list[dict[str, Any]] | None) -> tuple[ToolCall, ...]:
    """The tool calls among stored parts, in order."""
    return tuple(
        ToolCall(part["id"], part["name"], part["arguments"]) for part in parts or () if part["kind"] == "call"
    )


def are_whole(calls: Iterable[ToolCall]) -> bool:
    """Whether no call was cut in the middle of its arguments: Pydantic AI wraps what is no JSON."""
    from pydantic_ai.messages import INVALID_JSON_KEY

    return not any(call.arguments.startswith(f'{{"{INVALID_JSON_KEY}"') for call in calls)


def response_of(row: Row, model: str) -> ModelResponse:
    """The row as Pydantic AI's response, for a request to `model`."""
    from pydantic_ai.messages import ModelResponse, TextPart

    parts = row.parts or []
    origin = origin_of(row, model)
    if origin is None:
        calls = [_restored(part, row.text, None) for part in parts if part["kind"] == "call"]
        texts = [TextPart(row.text)] if row.text.strip() else []
        return ModelResponse(parts=[*texts, *calls], timestamp=EPOCH)
    back = [part for part in parts if part is not origin and _goes_back(part, model)]
    return ModelResponse(
        parts=[_restored(part, row.text, origin["provider"]) for part in back],
        timestamp=EPOCH,
        provider_name=origin["provider"],
        provider_url=origin["url"],
        canonical_system=origin["system"],
    )


def _goes_back(part: dict[str, Any], model: str) -> bool:
    return not part.get("tagged") or model.startswith(TAG_WIRES)


def origin_of(row: Row, model: str) -> dict[str, Any] | None:
    """Who made an answer, if its parts may go back to `model` as they came; see the module."""
    origin = next((part for part in row.parts or () if part["kind"] == "origin"), None)
    if origin is None or row.status != "complete" or origin["model"] != model:
        return None
    return origin if origin["digest"] == digest_of(row.text) else None


def _restored(part: dict[str, Any], text: str, provider: str | None) -> ModelResponsePart:
    """A stored part as Pydantic AI's; without a provider it goes back without what only that one understands."""
    from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

    details = json.loads(part["details"]) if provider and "details" in part else None
    if part["kind"] == "text":
        piece = text[part["start"] : part["start"] + part["length"]]
        return TextPart(piece, id=part.get("id"), provider_name=provider, provider_details=details)
    if part["kind"] == "reasoning":
        return ThinkingPart(
            part["text"],
            id=part.get("id"),
            signature=part.get("signature"),
            provider_name=provider,
            provider_details=details,
        )
    item = part.get("item") if provider else None
    return ToolCallPart(
        part["name"], part["arguments"], part["id"], id=item, provider_name=provider, provider_details=details
    )


def digest_of(text: str) -> str:
    """By which an answer's text is known to be the one that its parts belong to."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
