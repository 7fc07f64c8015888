"""The tools of a program, as chat completions have them: their definitions, calls and results, read and judged."""

from __future__ import annotations

from typing import Any, Literal

from sessions_app.conversations.line_digests import Said
from sessions_app.http_api.bodies import Lenient
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.texts import MAX_ARGUMENTS, MAX_FUNCTION_NAME, check_text
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.tools.client_tools import ToolDefinitionError, collected, definition
from sessions_app.models import MessageRole
from sessions_app.models.waiting import MAX_CALL_ID

STRAY = "A message of the role tool must follow an assistant's message with tool_calls."


class Definition(Lenient):
    """What is told of a function."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(Lenient):
    """One of `tools`. Only functions are taken: other kinds are run by OpenAI itself."""

    type: str
    function: Definition | None = None


class Named(Lenient):
    """A function that is named."""

    name: str


class Choice(Lenient):
    """The one tool that is to be called."""

    type: Literal["function"]
    function: Named


class Function(Lenient):
    """A call's function."""

    name: str
    arguments: str


class Call(Lenient):
    """One of an assistant's `tool_calls`."""

    id: str
    type: str = "function"
    function: Function | None = None


def brought(tools: list[Tool] | None) -> tuple[ToolSpec, ...]:
    """Return the definitions of a program's tools. Raises ApiError."""
    specs = []
    for number, tool in enumerate(tools or ()):
        param = f"tools[{number}]"
        if tool.type != "function" or tool.function is None:
            told = "Only tools of the type function are taken."
            raise ApiError(400, told, code="unsupported_value", param=f"{param}.type")
        try:
            specs.append(definition(tool.function.name, tool.function.description, tool.function.parameters))
        except ToolDefinitionError as error:
            raise _refused(error.text, f"{param}.function", "invalid_function_parameters") from None
    try:
        return collected(specs)
    except ToolDefinitionError as error:
        raise _refused(error.text, "tools", None) from None


def wanted(
    choice: Literal["auto", "none", "required"] | Choice | None, parallel: bool | None, tools: tuple[ToolSpec, ...]
) -> dict[str, Any]:
    """Return what is wanted of the answer's calls, as it is stored with the turn. Raises ApiError."""
    if not tools:
        if choice not in (None, "auto", "none"):
            raise _refused("A tool can be chosen only where tools are sent.", "tool_choice", None)
        return {}
    if isinstance(choice, Choice) and choice.function.name not in {tool.name for tool in tools}:
        raise _refused(f"The tool {choice.function.name[:64]} is none of those sent.", "tool_choice", None)
    named = choice.model_dump() if isinstance(choice, Choice) else choice
    return {"tool_choice": named, "parallel_tool_calls": parallel}


def calls_of(calls: list[Call] | None, param: str) -> tuple[ToolCall, ...]:
    """Return the calls that a program says an answer has made. Raises ApiError."""
    made = []
    for number, call in enumerate(calls or ()):
        place = f"{param}.tool_calls[{number}]"
        if call.type != "function" or call.function is None:
            raise _refused("Only calls of the type function are taken.", f"{place}.type", "unsupported_value")
        for name, text, longest in (
            ("id", call.id, MAX_CALL_ID),
            ("function.name", call.function.name, MAX_FUNCTION_NAME),
            ("function.arguments", call.function.arguments, MAX_ARGUMENTS),
        ):
            check_text(text, longest, f"{place}.{name}")
        if not call.id or not call.function.name:
            raise _refused("A call has an id and the name of a function.", place, None)
        made.append(ToolCall(call.id, call.function.name, call.function.arguments, client=True))
    return tuple(made)


def in_order(said: list[tuple[str, Said]]) -> list[Said]:
    """Return what was said, each with its place in the request, with results in the order of their calls.

    Each call must have one result right behind its answer, and each result its call: no provider takes anything else.
    Raises ApiError.
    """
    ordered: list[Said] = []
    at = 0
    while at < len(said):
        param, first = said[at]
        if first.role == MessageRole.TOOL:
            raise _refused(STRAY, f"{param}.role", None)
        end = at + 1
        while end < len(said) and said[end][1].role == MessageRole.TOOL:
            end += 1
        ordered += [first, *_results(param, first, said[at + 1 : end])]
        at = end
    return ordered


def _results(param: str, answer: Said, results: list[tuple[str, Said]]) -> list[Said]:
    """Return the results of an answer's calls, in the order of these. Raises ApiError."""
    by_id: dict[str, Said | None] = {call.id: None for call in answer.calls}
    if len(by_id) != len(answer.calls):
        raise _refused("Two tool_calls of one message have the same id.", f"{param}.tool_calls", None)
    if results and not by_id:
        raise _refused(STRAY, f"{results[0][0]}.role", None)
    for place, each in results:
        if each.call_id not in by_id:
            raise _refused(f"There is no call {each.call_id[:100]!r} before this.", f"{place}.tool_call_id", None)
        if by_id[each.call_id] is not None:
            raise _refused(f"The call {each.call_id[:100]!r} has two results.", f"{place}.tool_call_id", None)
        by_id[each.call_id] = each
    if missing := [call_id for call_id, result in by_id.items() if result is None]:
        told = "An assistant's message with tool_calls must be followed by a tool message for each of them. Missing: "
        raise _refused(told + ", ".join(missing)[:500], param, None)
    return [result for result in by_id.values() if result is not None]


def _refused(told: str, param: str, code: str | None) -> ApiError:
    return ApiError(400, told, code=code, param=param)
