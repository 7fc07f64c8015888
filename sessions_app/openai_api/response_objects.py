"""Responses, as OpenAI's types have them, made of turns: how it stands, what came of it, what was asked for.

Any turn that brings an answer is a response. What only its request has said (``Turn.request``) is told with it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sessions_app.conversations import spending
from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec
from sessions_app.models import ChatSession, Turn, TurnStatus
from sessions_app.openai_api.ids import conversation_id, response_id
from sessions_app.openai_api.items import Item

_STATUS = {
    TurnStatus.QUEUED: "queued",
    TurnStatus.RUNNING: "in_progress",
    TurnStatus.COMPLETE: "completed",
    TurnStatus.STOPPED: "cancelled",
    TurnStatus.WITHDRAWN: "cancelled",
    TurnStatus.FAILED: "failed",
    TurnStatus.INTERRUPTED: "failed",
}
_INCOMPLETE = {
    "length": "max_output_tokens",
    "context": "max_output_tokens",
    "budget": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
"""Why an answer is not whole, by its finish. One that the provider has paused counts as whole."""


def response_of(turn: Turn, output: Sequence[Item] = (), finish: str = "") -> dict[str, Any]:
    """Return the response that a turn is. Reads nothing: its session and profile are loaded.

    ``finish`` is that of its last message.
    """
    asked = turn.request if isinstance(turn.request, dict) else {}
    wanted = turn.sampling if isinstance(turn.sampling, dict) else {}
    status = _STATUS[TurnStatus(turn.status)]
    reason = _INCOMPLETE.get(finish) if status == "completed" else None
    return {
        "id": response_id(turn.run_id),
        "object": "response",
        "created_at": _seconds(turn.created_at),
        "status": "incomplete" if reason else status,
        "background": bool(asked.get("background")),
        "completed_at": _seconds(turn.ended_at) if status == "completed" and not reason else None,
        "conversation": {"id": conversation_id(turn.chat_session_id)} if asked.get("in_conversation") else None,
        "error": _error(turn),
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": _prompt(turn.chat_session, asked.get("prompt")),
        "max_output_tokens": wanted.get("max_tokens"),
        "metadata": asked.get("metadata") or {},
        "model": asked.get("model") or _model(turn),
        "output": list(output),
        "parallel_tool_calls": wanted.get("parallel_tool_calls") is not False,
        "previous_response_id": asked.get("previous_response_id"),
        "reasoning": {"effort": wanted.get("reasoning_effort"), "summary": None},
        "temperature": wanted.get("temperature"),
        "text": {"format": _form(wanted.get("response_format"))},
        "tool_choice": _choice(wanted.get("tool_choice")),
        "tools": _tools(turn.chat_session, asked.get("tools")),
        "top_p": wanted.get("top_p"),
        "truncation": "disabled",
        "usage": _usage(turn) if turn.ended_at else None,
    }


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def _model(turn: Turn) -> str:
    profile = turn.profile or turn.chat_session.profile
    return profile.name if profile else turn.model


def _prompt(chat_session: ChatSession, digest: str | None) -> str | None:
    """Return the system prompt that a program has brought to a session, where it still is the one of this digest."""
    if not chat_session.client_prompt or digest not in (None, chat_session.client_prompt):
        return None
    try:
        return FrozenPrefix.from_json(chat_session.frozen_prefix).prompt
    except ValueError:
        return None


def tool_names(chat_session: ChatSession) -> frozenset[str]:
    """Return the names of the tools that a program has brought to a session."""
    return frozenset(tool.name for tool in _brought(chat_session))


def _tools(chat_session: ChatSession, digest: str | None) -> list[dict[str, Any]]:
    """Return the tools that a program has brought to a session, where they still are those of this digest."""
    if digest not in (None, chat_session.client_tools):
        return []
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description or None,
            "parameters": json.loads(tool.parameters),
            "strict": None,
        }
        for tool in _brought(chat_session)
    ]


def _brought(chat_session: ChatSession) -> tuple[ToolSpec, ...]:
    if not chat_session.client_tools:
        return ()
    try:
        return FrozenPrefix.from_json(chat_session.frozen_prefix).client_tools
    except ValueError:
        return ()


def _choice(wanted: Any) -> Any:
    """Return which tool was to be called, as Responses have it: a function's name beside its type."""
    return {"type": "function", **wanted["function"]} if isinstance(wanted, dict) else wanted or "auto"


def _error(turn: Turn) -> dict[str, str] | None:
    if not turn.error_code:
        return None
    return {"code": "invalid_prompt" if turn.error_code == "context" else "server_error", "message": turn.error_text}


def _form(wanted: dict[str, Any] | None) -> dict[str, Any]:
    """Return the form of the answer as Responses have it: the schema beside its type."""
    if not wanted:
        return {"type": "text"}
    return {"type": wanted["type"], **(wanted.get("json_schema") or {})}


def _usage(turn: Turn) -> dict[str, Any]:
    usage = spending.usage_of(turn)
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
