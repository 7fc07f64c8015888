"""What a client wants of one turn's requests: how long, how random, in which form. No element of the conversation.

It is stored with the turn, as OpenAI's chat completions call it, because another process may run the turn. What a
provider has no name for is left out.
"""

from __future__ import annotations

from typing import Any

NAMES = (
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "parallel_tool_calls",
)
"""What may be wanted."""

Sampling = dict[str, Any]

_EVERYWHERE = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop": "stop_sequences",
    "parallel_tool_calls": "parallel_tool_calls",
}
_CHAT = {**_EVERYWHERE, "reasoning_effort": "openai_reasoning_effort"}
_RESPONSES = {name: called for name, called in _CHAT.items() if name != "stop"}
_SETTINGS = {"openai": _RESPONSES, "openai-responses": _RESPONSES, "openai-chat": _CHAT, "ollama": _CHAT}


def settings_of(model: str, sampling: object) -> dict[str, Any]:
    """Return Pydantic AI's settings for what is wanted of a model, named by its model string."""
    if not isinstance(sampling, dict):
        return {}  # nothing, or what another program has left in the turn's row
    wire = model.partition(":")[0]
    names = _SETTINGS.get(wire, _EVERYWHERE)
    settings = {called: sampling[name] for name, called in names.items() if name in sampling}
    if (choice := sampling.get("tool_choice")) is not None:
        settings["tool_choice"] = [choice["function"]["name"]] if isinstance(choice, dict) else choice
    wanted = sampling.get("response_format")
    if wanted is not None and (body := _form_of_answer(wire, wanted)):
        settings["extra_body"] = body
    return settings


def _form_of_answer(wire: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what is added to a request's body, for the wires that know forms of answers by OpenAI's names."""
    if wire in ("openai-chat", "ollama"):
        return {"response_format": wanted}
    if wire in ("openai", "openai-responses"):
        # The Responses API has the schema beside its type, not within another object.
        return {"text": {"format": {"type": wanted.get("type"), **(wanted.get("json_schema") or {})}}}
    return {}
