"""Every way in which an answer can end, by each wire's documentation, and what becomes of it here.

Sources: the API references of OpenAI (chat completions, Responses: `finish_reason`, `status`, `incomplete_details`,
`response.error.code`), of Anthropic ("Handling stop reasons", "Errors"), and of servers that speak like them
(DeepSeek, Mistral, Z.ai, Together, vLLM, OpenRouter).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessions_app.llm.content.rows import Row
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers
from sessions_app.llm.wire import anthropic, chat
from tests.llm.talking import CHAT, MESSAGES, RESPONSES, Session
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

BROKEN = "broken"

CHAT_ENDINGS: dict[str, str | None] = {
    "stop": None,
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": None,
    "function_call": None,
    "eos": None,
    "end_turn": None,
    "stop_sequence": None,
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "context",
    "safety": "content_filter",
    "sensitive": "content_filter",
    "refusal": "refusal",
    "pause_turn": "pause",
    "error": BROKEN,
    "abort": BROKEN,
    "cancelled": BROKEN,
    "network_error": BROKEN,
    "insufficient_system_resource": BROKEN,
}
ANTHROPIC_ENDINGS: dict[str, str | None] = {
    "end_turn": None,
    "max_tokens": "length",
    "stop_sequence": None,
    "tool_use": None,
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context",
    "compaction": None,
}
RESPONSES_ENDINGS: list[tuple[str, dict[str, Any], str | None]] = [
    ("response.completed", {"status": "completed"}, None),
    ("response.incomplete", {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
    (
        "response.incomplete",
        {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
        "content_filter",
    ),
    ("response.incomplete", {"status": "incomplete", "incomplete_details": None}, "length"),
    ("response.completed", {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
    ("response.completed", {"status": "cancelled"}, BROKEN),
    ("response.failed", {"status": "failed", "error": None}, BROKEN),
    ("response.failed", {"status": "failed", "error": {"code": "server_error", "message": "x"}}, BROKEN),
    ("response.failed", {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "x"}}, BROKEN),
]


def events(*frames: dict[str, Any]) -> bytes:
    """A body of events, each named by its type."""
    return "".join(f"event: {frame.get('type', '')}\ndata: {json.dumps(frame)}\n\n" for frame in frames).encode()


async def ended(provider: Provider, providers: Providers, model: str, raw: bytes) -> tuple[str | None, str]:
    """How an answer ended: its finish, or that it failed; and its text."""
    provider.script(Answer(raw=[raw]))
    session = Session(providers, model)
    session.store(Row("user", "Hello?"))
    try:
        result = await session.step()
    except ProviderError as error:
        return (BROKEN if error.code == "provider" else error.code), session.results[-1].text
    return result.finish, result.text


@pytest.mark.parametrize(("reason", "expected"), CHAT_ENDINGS.items())
async def test_chat_completions(reason: str, expected: str | None, provider: Provider, providers: Providers) -> None:
    frames = [
        {"choices": [{"index": 0, "delta": {"content": "Hi."}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
    ]
    assert await ended(provider, providers, CHAT, events(*frames)) == (expected, "Hi.")


async def test_a_refusal_of_chat_completions(provider: Provider, providers: Providers) -> None:
    frames = [
        {"choices": [{"index": 0, "delta": {"refusal": "I can't help."}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    assert await ended(provider, providers, CHAT, events(*frames)) == ("refusal", "I can't help.")


@pytest.mark.parametrize(("kind", "response", "expected"), RESPONSES_ENDINGS)
async def test_responses(
    kind: str, response: dict[str, Any], expected: str | None, provider: Provider, providers: Providers
) -> None:
    whole = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": [], **response}
    frames: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", "item_id": "msg_1", "content_index": 0, "delta": "Hi."},
        {"type": kind, "response": whole},
    ]
    assert await ended(provider, providers, RESPONSES, events(*frames)) == (expected, "Hi.")


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_refusal_of_responses(streamed: bool, provider: Provider, providers: Providers) -> None:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    frames: list[dict[str, Any]] = [
        {"type": "response.refusal.delta", **place, "delta": "I can't "},
        {"type": "response.refusal.delta", **place, "delta": "help."},
        {"type": "response.refusal.done", **place, "refusal": "I can't help."},
        {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": [], "model": "m"}},
    ]
    raw = events(*(frames if streamed else frames[2:]))
    assert await ended(provider, providers, RESPONSES, raw) == ("refusal", "I can't help.")


@pytest.mark.parametrize(
    "error", [{"code": "server_error", "message": "x"}, {"error": {"message": "x"}}, {"message": None}]
)
async def test_an_error_event_of_responses(error: dict[str, Any], provider: Provider, providers: Providers) -> None:
    frames = [
        {"type": "response.output_text.delta", "item_id": "msg_1", "content_index": 0, "delta": "Hi."},
        {"type": "error", **error},
    ]
    assert await ended(provider, providers, RESPONSES, events(*frames)) == (BROKEN, "Hi.")


def message(*frames: dict[str, Any]) -> bytes:
    """A stream of messages whose text is "Hi."."""
    return events(
        {"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "model": "m", "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi."}},
        {"type": "content_block_stop", "index": 0},
        *frames,
    )


@pytest.mark.parametrize(("reason", "expected"), ANTHROPIC_ENDINGS.items())
async def test_messages(reason: str, expected: str | None, provider: Provider, providers: Providers) -> None:
    raw = message(
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    )
    assert await ended(provider, providers, MESSAGES, raw) == (expected, "Hi.")


@pytest.mark.parametrize(
    "kind",
    ["invalid_request_error", "api_error", "rate_limit_error", "overloaded_error", "timeout_error", "unknown_error"],
)
async def test_an_error_event_of_messages(kind: str, provider: Provider, providers: Providers) -> None:
    raw = message({"type": "error", "error": {"type": kind, "message": "x"}})
    assert await ended(provider, providers, MESSAGES, raw) == (BROKEN, "Hi.")


@pytest.mark.parametrize("reason", ["", None])
async def test_messages_without_a_reason(reason: str | None, provider: Provider, providers: Providers) -> None:
    frame = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}}
    assert await ended(provider, providers, MESSAGES, message(frame)) == (BROKEN, "Hi.")
    assert await ended(provider, providers, MESSAGES, message(frame, {"type": "message_stop"})) == (None, "Hi.")


@pytest.mark.parametrize(
    ("reason", "code", "sentence"),
    [
        ("end_turn", "empty", "The model gave no answer."),
        ("max_tokens", "empty", "used up the length"),
        ("pause_turn", "empty", "paused"),
        ("model_context_window_exceeded", "context", "too long for the model"),
        ("refusal", "provider", "declined to answer"),
    ],
)
async def test_endings_without_a_word(
    reason: str, code: str, sentence: str, provider: Provider, providers: Providers
) -> None:
    start = {"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "model": "m", "usage": {}}}
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}}
    provider.script(Answer(raw=[events(start, end, {"type": "message_stop"})]))
    session = Session(providers, MESSAGES)
    session.store(Row("user", "Hello?"))
    with pytest.raises(ProviderError) as failure:
        await session.step()
    assert failure.value.code == code
    assert sentence in failure.value.text


def test_the_tables_have_a_row_for_each_word_that_means_something() -> None:
    assert set(chat.FINISHES) | chat.BROKEN <= set(CHAT_ENDINGS)
    assert set(anthropic.FINISHES) <= set(ANTHROPIC_ENDINGS)
