"""Why a prompt was not cached, as OpenAI tells it: a request is compared with the one whose answer it names."""

from __future__ import annotations

from typing import Any

from .tokens import Counted

# What is compared, in this order, beside the conversation itself.
_FIELDS = {
    "model": "model_changed",
    "prompt_cache_key": "prompt_cache_key_changed",
    "tools": "tools_changed",
    "text": "text_format_changed",
    "reasoning": "reasoning_effort_changed",
}
_answered: dict[str, dict[str, Any]] = {}


def remember(response_id: str, body: dict[str, Any]) -> None:
    """Keep what was answered by this id."""
    _answered[response_id] = body


def diagnose(body: dict[str, Any], counted: Counted) -> dict[str, Any] | None:
    """The diagnosis of a request; None where none is asked for."""
    compared_to = (body.get("prompt_cache_options") or {}).get("comparison_response_id")
    if compared_to is None:
        return None
    if (before := _answered.get(compared_to)) is None:
        return {"type": "comparison_response_not_found"}
    if reason := _difference(before, body):
        return {"type": "cache_miss", "reason": reason, "cache_missed_tokens": counted.prompt - counted.cached}
    return {"type": "cache_hit"}


def _difference(before: dict[str, Any], body: dict[str, Any]) -> str:
    for name, reason in _FIELDS.items():
        if before.get(name) != body.get(name):
            return reason
    same_beginning = body["input"][: len(before["input"])] == before["input"]
    return "" if same_beginning and before.get("instructions") == body.get("instructions") else "input_changed"
