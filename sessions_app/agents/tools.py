"""The tools a model may call: their definitions, in one canonical form, and how they are run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .calculator import ExpressionError, calculate
from .pieces import ToolCall
from .prefix import ToolSpec, canonical

logger = logging.getLogger(__name__)

SEARCH_LIMIT = 10
LONGEST_QUERY = 200

Search = Callable[[int, str, int], Awaitable[list[str]]]
"""`await search(user_id, query, limit)`: lines of text, one per hit in the chats of that user, best first."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool may use: whose agent it is, and the way to that user's chats."""

    user_id: int
    search: Search


class Arguments(BaseModel):
    """A tool's arguments; `schema` is its JSON schema as the model sees it."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def schema_text(cls) -> str:
        """Canonical JSON schema, without the titles pydantic adds."""
        schema = cls.model_json_schema()
        properties = {
            name: {key: value for key, value in field.items() if key != "title"}
            for name, field in schema["properties"].items()
        }
        return canonical(
            {
                "type": "object",
                "properties": properties,
                "required": schema["required"],
                "additionalProperties": False,
            }
        )


A = TypeVar("A", bound=Arguments)


class Expression(Arguments):
    """Arguments of `calculator`."""

    expression: Annotated[str, Field(description="For example: (17 + 4) * 2 / 3 or sqrt(2) ** 3")]


class Query(Arguments):
    """Arguments of `search_chats`."""

    query: Annotated[str, Field(description="Words, or a part of a word, to look for")]


async def _calculator(context: Context, arguments: Expression) -> str:
    try:
        return calculate(arguments.expression)
    except ExpressionError as error:
        return f"Error: {error}"


async def _search_chats(context: Context, arguments: Query) -> str:
    hits = await context.search(context.user_id, arguments.query[:LONGEST_QUERY], SEARCH_LIMIT)
    return "\n".join(hits) if hits else "Nothing was found."


@dataclass(frozen=True)
class Tool(Generic[A]):
    """A tool: what the model is told of it, the shape of its arguments, and the function that runs it."""

    spec: ToolSpec
    arguments: type[A]
    run: Callable[[Context, A], Awaitable[str]]


def _tool(name: str, description: str, arguments: type[A], run: Callable[[Context, A], Awaitable[str]]) -> Tool[A]:
    return Tool(ToolSpec(name, description, arguments.schema_text()), arguments, run)


TOOLS: dict[str, Tool[Any]] = {
    tool.spec.name: tool
    for tool in (
        _tool("calculator", "Work out an arithmetic expression exactly.", Expression, _calculator),
        _tool("search_chats", "Search the user's own earlier chats.", Query, _search_chats),
    )
}


async def run_tool(context: Context, call: ToolCall) -> str:
    """Run a call and return its result's text; what went wrong is told in that text, for the model to read."""
    tool = TOOLS.get(call.name)
    if tool is None:
        return f"Error: there is no tool {call.name!r}."
    try:
        arguments = tool.arguments.model_validate_json(call.arguments)
    except ValidationError as error:
        return f"Error: the arguments do not fit: {_sentence(error)}"
    try:
        return await tool.run(context, arguments)
    except Exception:
        # A tool's failure is the model's to explain, not the turn's end.
        logger.exception("the tool %s failed", call.name)
        return "Error: the tool failed."


def _sentence(error: ValidationError) -> str:
    """What is wrong with each argument, without the values and links pydantic adds."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(": ".join([*map(str, problem["loc"]), problem["msg"]]) for problem in problems)
