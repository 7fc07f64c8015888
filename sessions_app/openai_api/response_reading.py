"""From the body of a request for a response to the conversation in it, and what is wanted of the answer.

What the host does not know is ignored; what it knows and cannot do is refused. For a thread: a body may be megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from pydantic import Field

from sessions_app.conversations.line_digests import Said, prompt_digest
from sessions_app.http_api.bodies import Lenient, parse
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.sent_files import SentFiles
from sessions_app.http_api.texts import MAX_MESSAGES, check_text
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.sampling import Sampling
from sessions_app.llm.tools.client_tools import MAX_TOOLS, digest_of
from sessions_app.models import MessageRole
from sessions_app.openai_api import ids, tools
from sessions_app.openai_api.item_reading import SentItem, read_items

_Key = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]
_Value = Annotated[str, Field(max_length=512, pattern=r"^[^\x00]*$")]
Metadata = Annotated[dict[_Key, _Value], Field(max_length=16)]
"""What a program puts to a response or a conversation, by OpenAI's limits."""
_Effort = Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]


class _Reasoning(Lenient):
    effort: _Effort | None = None


class _Form(Lenient):
    type: Literal["text", "json_object", "json_schema"]
    name: Annotated[str, Field(max_length=64)] | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None
    description: str | None = None


class _Text(Lenient):
    format: _Form | None = None


class _Tool(Lenient):
    type: str
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Choice(Lenient):
    type: str
    name: str = ""


class _Named(Lenient):
    id: str


class ResponseBody(Lenient):
    """What is read of a request's body."""

    model: Annotated[str, Field(min_length=1)]
    input: str | Annotated[list[SentItem], Field(max_length=MAX_MESSAGES)]
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | _Named | None = None
    store: bool | None = None
    background: bool | None = None
    stream: bool | None = None
    metadata: Metadata | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    reasoning: _Reasoning | None = None
    text: _Text | None = None
    tools: Annotated[list[_Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["auto", "none", "required"] | _Choice | None = None
    parallel_tool_calls: bool | None = None
    prompt: Any = None
    n: int | None = None
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """A request for a response. ``prompt`` is the system prompt that came with it, None where none did.

    ``tools`` are the client's own.
    ``previous`` is the run that it goes on from, ``conversation`` the session that it goes on in. ``kept`` is what is
    told with the response.
    """

    model: str
    prompt: str | None
    said: tuple[Said, ...]
    tools: tuple[ToolSpec, ...]
    sampling: Sampling | None
    previous: UUID | None
    conversation: UUID | None
    stores: bool
    runs_in_background: bool
    streams: bool
    kept: dict[str, Any]


def read(body: bytes, files: SentFiles) -> ResponseRequest:
    """Return the request in a body. Raises ApiError."""
    parsed = parse(ResponseBody, body)
    _refuse_what_cannot_be_done(parsed)
    previous, conversation = _references(parsed)
    told = read_items(parsed.input, files, "input", goes_on=previous is not None or conversation is not None)
    if not told.said or told.said[-1].role == MessageRole.ASSISTANT:
        last = "The last item must be a user's message, with a text or a file, or a function_call_output."
        raise ApiError(400, last, param="input")
    if parsed.instructions is not None:
        check_text(parsed.instructions, settings.HERMES_MAX_TEXT, "instructions")
        told.prompts.insert(0, parsed.instructions)
    prompts = [each for each in told.prompts if each.strip()]
    prompt = "\n\n".join(prompts) or None
    brought = tools.brought([_as_chat_has_it(tool) for tool in parsed.tools or ()])
    choice = tools.wanted(_choice(parsed.tool_choice), parsed.parallel_tool_calls, brought)
    return ResponseRequest(
        parsed.model,
        prompt,
        told.said,
        brought,
        _sampling(parsed) | choice or None,
        previous,
        conversation,
        parsed.store is not False,
        bool(parsed.background),
        bool(parsed.stream),
        _kept(parsed, prompt, brought),
    )


def _refuse_what_cannot_be_done(body: ResponseBody) -> None:
    refusals = {
        "n": (body.n not in (None, 1), "One answer is made for a request: n must be 1."),
        "top_logprobs": (bool(body.top_logprobs), "Log probabilities are not told."),
        "prompt": (body.prompt is not None, "There are no stored prompts here: send instructions."),
        "background": (bool(body.background) and body.store is False, "What runs in the background must be stored."),
    }
    for param, (is_so, told) in refusals.items():
        if is_so:
            raise ApiError(400, told, code="unsupported_value", param=param)


def _references(body: ResponseBody) -> tuple[UUID | None, UUID | None]:
    """Return the run and the session that are named. Raises ApiError."""
    named = body.conversation.id if isinstance(body.conversation, _Named) else body.conversation
    if body.previous_response_id is not None and named is not None:
        raise ApiError(400, "Send previous_response_id or conversation, not both.", param="previous_response_id")
    if named is not None and body.store is False:
        raise ApiError(400, "What is said in a conversation is stored.", code="unsupported_value", param="store")
    previous = conversation = None
    if body.previous_response_id is not None and (previous := ids.run_of(body.previous_response_id)) is None:
        raise no_previous(body.previous_response_id)
    if named is not None and (conversation := ids.session_of(named)) is None:
        raise no_conversation(named)
    return previous, conversation


def no_previous(named: str) -> ApiError:
    """Return the answer to a request that goes on from a response which is none of the user's."""
    told = f"Previous response with id {named[:100]!r} not found."
    return ApiError(400, told, code="previous_response_not_found", param="previous_response_id")


def no_conversation(named: str) -> ApiError:
    """Return the answer to a request for a conversation which is none of the user's."""
    return ApiError(404, f"Conversation with id {named[:100]!r} not found.", code="conversation_not_found")


def _as_chat_has_it(tool: _Tool) -> tools.Tool:
    """Return a tool as chat completions have it, where its function is an object of its own."""
    function = tools.Definition(name=tool.name, description=tool.description, parameters=tool.parameters)
    return tools.Tool(type=tool.type, function=function)


def _choice(choice: Literal["auto", "none", "required"] | _Choice | None) -> Any:
    if not isinstance(choice, _Choice):
        return choice
    if choice.type != "function":
        raise ApiError(400, "Only functions can be chosen.", code="unsupported_value", param="tool_choice")
    return tools.Choice(type="function", function=tools.Named(name=choice.name))


def _kept(body: ResponseBody, prompt: str | None, brought: tuple[ToolSpec, ...]) -> dict[str, Any]:
    kept = {
        "model": body.model,
        "metadata": body.metadata,
        "previous_response_id": body.previous_response_id,
        "in_conversation": body.conversation is not None,
        "background": bool(body.background),
        "prompt": prompt_digest(prompt),
        "tools": digest_of(brought),
    }
    return {name: value for name, value in kept.items() if value}


def _sampling(body: ResponseBody) -> Sampling:
    """Return what is wanted of the answer, by the names that are stored."""
    wanted = {
        "max_tokens": body.max_output_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "reasoning_effort": body.reasoning.effort if body.reasoning else None,
        "response_format": _form(body.text.format if body.text else None),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _form(form: _Form | None) -> dict[str, Any] | None:
    """Return the form of the answer as it is stored, which is as chat completions have it; None for any."""
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return {"type": form.type}
    for name, value in (("name", form.name), ("schema", form.schema_)):
        if value is None:
            raise ApiError(400, "Field required.", param=f"text.format.{name}")
    return {"type": form.type, "json_schema": form.model_dump(by_alias=True, exclude_none=True, exclude={"type"})}
