"""Requests to models and calls of tools as spans, by OpenTelemetry's conventions for generative AI; no content."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sessions_app import tracing
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.step_events import StepResult
from sessions_app.tracing import Span


def begin_request(model: str, session_id: str) -> Span:
    """Begin the span of a request to a model, retries included."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model.partition(":")[2] or model,
        "gen_ai.request.stream": True,
        "gen_ai.conversation.id": session_id,
    }
    return tracing.start(f"chat {attributes['gen_ai.request.model']}", attributes, is_client=True)


def end_request(span: Span, result: StepResult, error: BaseException | None) -> None:
    """End it, with what came of the request."""
    usage = result.usage
    # A request that was not answered has no reason to have ended.
    finish = "" if error else result.finish or ("tool_calls" if result.calls else "stop")
    span.note(
        {
            "gen_ai.provider.name": result.provider,
            "gen_ai.response.model": result.model if result.provider else None,
            "gen_ai.response.finish_reasons": (finish,) if finish else (),
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        }
    )
    span.end(error.code if isinstance(error, ProviderError) else error)


def tool_call(call: ToolCall) -> AbstractContextManager[Span]:
    """Record a call of a tool."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.name,
        "gen_ai.tool.call.id": call.id,
    }
    return tracing.span(f"execute_tool {call.name}", attributes)
