"""The tools of a client, as AG-UI has them: their definitions, and calls in a history."""

from __future__ import annotations

from collections.abc import Iterable

from ag_ui.core import Tool, ToolCall

from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.texts import MAX_ARGUMENTS, MAX_FUNCTION_NAME
from sessions_app.llm.content import parts
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.tools.client_tools import ToolDefinitionError, collected, definition
from sessions_app.models.waiting import MAX_CALL_ID


def brought(tools: Iterable[Tool]) -> tuple[ToolSpec, ...]:
    """Return the definitions of a client's tools. Raises ApiError."""
    try:
        return collected([_definition(tool, f"tools[{number}]") for number, tool in enumerate(tools)])
    except ToolDefinitionError as error:
        raise ApiError(400, error.text, param="tools") from None


def _definition(tool: Tool, param: str) -> ToolSpec:
    schema = tool.parameters
    if schema is not None and not isinstance(schema, dict):
        raise ApiError(400, "The parameters of a tool must be a schema of an object.", param=f"{param}.parameters")
    try:
        return definition(tool.name, tool.description, schema)
    except ToolDefinitionError as error:
        raise ApiError(400, error.text, code="invalid_function_parameters", param=param) from None


def calls_of(calls: Iterable[ToolCall], param: str) -> tuple[parts.ToolCall, ...]:
    """Return the calls that a client says an answer has made. Raises ApiError."""
    made: dict[str, parts.ToolCall] = {}
    for number, call in enumerate(calls):
        place, function = f"{param}.toolCalls[{number}]", call.function
        check(call.id, MAX_CALL_ID, f"{place}.id")
        check(function.name, MAX_FUNCTION_NAME, f"{place}.function.name")
        if len(function.arguments) > MAX_ARGUMENTS or "\0" in function.arguments:
            told = f"Arguments have at most {MAX_ARGUMENTS:,} characters, and no NUL."
            raise ApiError(400, told, param=f"{place}.function.arguments")
        if call.id in made:
            raise ApiError(400, "Two calls of one message have the same id.", param=f"{place}.id")
        made[call.id] = parts.ToolCall(call.id, function.name, function.arguments, client=True)
    return tuple(made.values())


def check(name: str, longest: int, param: str) -> None:
    """Refuse what cannot be stored as an id or a name. Raises ApiError."""
    if not 1 <= len(name) <= longest or "\0" in name:
        raise ApiError(400, f"{param} must have 1 to {longest} characters, and no NUL.", param=param)
