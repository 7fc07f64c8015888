"""A stored answer as Pydantic AI's response, for a request.

Invariant: the row's text column is the authority. Reasoning, item ids and the order of parts go back only to the
model that made them, with the text they belong to, and only of an answer that came to its end: a signature over
something else is refused by the provider, or worse, believed (OpenAI reads its own copy of an item sent by id).
Reasoning without an origin is kept for people, and never goes back.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sessions_app.llm.content.parts import Origin, Part, Parts, Reasoning, TextSpan, ToolCall, tool_calls
from sessions_app.llm.content.rows import Row

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse, ModelResponsePart

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Every message's time: Pydantic AI wants one, sends none, and equal rows shall make equal messages."""

TAG_WIRES = ("openai-chat:", "ollama:")
"""Models that get a thought back between tags, where it stood: the others' wires have no place for one like it."""


def response_of(row: Row, model: str) -> ModelResponse:
    """The row as Pydantic AI's response, for a request to `model`."""
    from pydantic_ai.messages import ModelResponse, TextPart

    origin = origin_of(row, model)
    if origin is None:
        calls = [_restored(call, row.text, None) for call in tool_calls(row.parts)]
        texts = [TextPart(row.text)] if row.text.strip() else []
        return ModelResponse(parts=[*texts, *calls], timestamp=EPOCH)
    back = [part for part in row.parts if part is not origin and _goes_back(part, model)]
    return ModelResponse(
        parts=[_restored(part, row.text, origin.provider) for part in back],
        timestamp=EPOCH,
        provider_name=origin.provider,
        provider_url=origin.url,
        canonical_system=origin.system,
    )


def sent_parts(row: Row, model: str) -> Parts:
    """What of a row goes to `model` beside its text."""
    if row.role != "assistant" or origin_of(row, model) is not None:
        return tuple(part for part in row.parts if _goes_back(part, model))
    return tool_calls(row.parts)


def _goes_back(part: Part, model: str) -> bool:
    return not (isinstance(part, Reasoning) and part.tagged) or model.startswith(TAG_WIRES)


def origin_of(row: Row, model: str) -> Origin | None:
    """Who made an answer, if its parts may go back to `model` as they came; see the module."""
    origin = next((part for part in row.parts if isinstance(part, Origin)), None)
    if origin is None or row.status != "complete" or origin.model != model:
        return None
    return origin if origin.digest == digest_of(row.text) else None


def _restored(part: Part, text: str, provider: str | None) -> ModelResponsePart:
    """A stored part as Pydantic AI's; without a provider it goes back without what only that one understands."""
    from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

    match part:
        case TextSpan(start, length, item):
            piece = text[start : start + length]
            return TextPart(piece, id=item, provider_name=provider, provider_details=_details(part, provider))
        case Reasoning(said, item, signature):
            return ThinkingPart(
                said,
                id=item,
                signature=signature,
                provider_name=provider,
                provider_details=_details(part, provider),
            )
        case ToolCall(call_id, name, arguments, item):
            return ToolCallPart(
                name,
                arguments,
                call_id,
                id=item if provider else None,
                provider_name=provider,
                provider_details=_details(part, provider),
            )
    raise TypeError(f"a {part.kind} is no part of an answer")  # `rows.check` has refused it


def _details(part: TextSpan | Reasoning | ToolCall, provider: str | None) -> dict[str, object] | None:
    return json.loads(part.details) if provider and part.details is not None else None


def digest_of(text: str) -> str:
    """By which an answer's text is known to be the one that its parts belong to."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
