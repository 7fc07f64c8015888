"""From the body of a request for a chat completion to the conversation in it, and what is wanted of the answer.

What the host does not know is ignored; what it knows and cannot do is refused. For a thread: a body may be megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import ConfigDict, Field

from sessions_app.conversations.line_digests import Said, joined
from sessions_app.http_api.bodies import Lenient, parse
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.sent_files import SentFiles
from sessions_app.http_api.texts import MAX_MESSAGES, check_text
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.sampling import Sampling
from sessions_app.llm.tools.client_tools import MAX_TOOLS
from sessions_app.models import MessageRole
from sessions_app.openai_api import tools
from sessions_app.openai_api.content import Content, read_content
from sessions_app.openai_api.tools import Call, Choice, Tool

FUNCTIONS = "functions and function_call are of an older API: send tools and tool_choice."

_PROMPT_ROLES = ("system", "developer")
_ROLES = (*_PROMPT_ROLES, "user", "assistant", "tool")


class _StreamOptions(Lenient):
    include_usage: bool | None = None


class _ResponseFormat(Lenient):
    model_config = ConfigDict(strict=True, extra="allow")
    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None


class _Message(Lenient):
    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: Annotated[list[Call], Field(max_length=MAX_TOOLS)] | None = None
    tool_call_id: str | None = None
    function_call: Any = None


_Count = Annotated[int, Field(ge=1, le=10_000_000)]
_Stop = Annotated[list[Annotated[str, Field(max_length=1_000)]], Field(max_length=16)]
_Effort = Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]


class ChatBody(Lenient):
    """A request for a chat completion, as it is sent."""

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[_Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["auto", "none", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    functions: list[Any] | None = None
    function_call: Any = None
    max_tokens: _Count | None = None
    max_completion_tokens: _Count | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    stop: Annotated[str, Field(max_length=1_000)] | _Stop | None = None
    reasoning_effort: _Effort | None = None
    response_format: _ResponseFormat | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for a chat completion. ``prompt`` is the system prompt that came with it, None where none did.

    ``tools`` are the client's own.
    """

    model: str
    prompt: str | None
    said: tuple[Said, ...]
    tools: tuple[ToolSpec, ...]
    sampling: Sampling | None
    streams: bool
    includes_usage: bool


def read(body: bytes, files: SentFiles) -> ChatRequest:
    """Return the request in a body. Raises ApiError."""
    parsed = parse(ChatBody, body)
    _refuse_what_cannot_be_done(parsed)
    prompts, messages = _messages(parsed.messages, files)
    said = joined(tools.in_order(messages))
    if not said or said[-1].role == MessageRole.ASSISTANT:
        told = "The last message must be a user's, with a text or a file, or a tool's."
        raise ApiError(400, told, param="messages")
    options, brought = parsed.stream_options, tools.brought(parsed.tools)
    choice = tools.wanted(parsed.tool_choice, parsed.parallel_tool_calls, brought)
    return ChatRequest(
        parsed.model,
        "\n\n".join(prompts) or None,
        tuple(said),
        brought,
        _sampling(parsed, choice),
        bool(parsed.stream),
        bool(options and options.include_usage),
    )


def _refuse_what_cannot_be_done(body: ChatBody) -> None:
    if body.n is not None and body.n != 1:
        raise ApiError(400, "One answer is made for a request: n must be 1.", param="n")
    if body.logprobs or body.top_logprobs:
        raise ApiError(400, "Log probabilities are not told.", param="logprobs")
    for name in ("functions", "function_call"):
        if getattr(body, name):
            raise ApiError(400, FUNCTIONS, code="unsupported_value", param=name)


def _messages(messages: list[_Message], files: SentFiles) -> tuple[list[str], list[tuple[str, Said]]]:
    """Return the system prompts, and what was said after them, each with its place. Raises ApiError."""
    prompts: list[str] = []
    said: list[tuple[str, Said]] = []
    for number, message in enumerate(messages):
        param = f"messages[{number}]"
        content = _content(message, files, param)
        if message.role in _PROMPT_ROLES:
            if said:
                raise ApiError(400, "A system prompt comes before all other messages.", param=f"{param}.role")
            prompts += [content[0]] if content[0].strip() else []
        else:
            said.append((param, _said(message, content, param)))
    return prompts, said


def _said(message: _Message, content: Content, param: str) -> Said:
    text, files = content
    if message.role != MessageRole.ASSISTANT and message.tool_calls:
        raise ApiError(400, "Only an assistant's message has tool_calls.", param=f"{param}.tool_calls")
    if message.role != MessageRole.TOOL:
        return Said(message.role, text, tools.calls_of(message.tool_calls, param), files=files)
    if not message.tool_call_id:
        raise ApiError(400, "A message of the role tool needs a tool_call_id.", param=f"{param}.tool_call_id")
    return Said(MessageRole.TOOL, text, call_id=message.tool_call_id)


def _content(message: _Message, files: SentFiles, param: str) -> Content:
    """Return the text and the files of a message. Raises ApiError."""
    if message.role == "function" or message.function_call:
        raise ApiError(400, FUNCTIONS, code="unsupported_value", param=param)
    if message.role not in _ROLES:
        raise ApiError(400, f"The role is none of {', '.join(_ROLES)}.", param=f"{param}.role")
    content, place = message.content, f"{param}.content"
    if content is None and message.role != "assistant":
        raise ApiError(400, "A message needs a content.", param=place)
    text, sent = read_content(content or "", files if message.role == "user" else None, place)
    check_text(text, settings.HERMES_MAX_ANSWER if message.role == "assistant" else settings.HERMES_MAX_TEXT, place)
    return text, sent


def _sampling(body: ChatBody, choice: Sampling) -> Sampling | None:
    """Return what is wanted of the answer, by the names that are stored; None for nothing."""
    stop = [body.stop] if isinstance(body.stop, str) else body.stop
    wanted = {
        "max_tokens": body.max_completion_tokens or body.max_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "stop": stop or None,
        "reasoning_effort": body.reasoning_effort,
        "response_format": body.response_format.model_dump(exclude_none=True) if body.response_format else None,
        **choice,
    }
    return {name: value for name, value in wanted.items() if value is not None} or None
