"""OpenAI's own types as the schema of what is answered: nothing missing, nothing unknown, nothing converted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def exact(kind: Any, answer: BaseModel) -> None:
    """Hold an answer against the type that OpenAI publishes."""
    assert TypeAdapter(kind).validate_json(answer.model_dump_json(by_alias=True), strict=True) == answer
    assert unknown(answer) == []


def exact_events(events: Iterable[BaseModel]) -> list[Any]:
    """Hold the events of a stream against their types and each other, and return them."""
    told: list[Any] = list(events)
    for number, event in enumerate(told):
        assert _EVENT.validate_json(event.model_dump_json(by_alias=True), strict=True) is not None
        assert unknown(event) == []
        assert event.sequence_number == number
    return told


def unknown(value: object) -> list[str]:
    """Return the names of fields that their types do not know, however deep."""
    if isinstance(value, BaseModel):
        own = list(value.model_extra or ())
        return own + [each for name in type(value).model_fields for each in unknown(getattr(value, name))]
    if isinstance(value, list):
        return [each for item in value for each in unknown(item)]
    return []
