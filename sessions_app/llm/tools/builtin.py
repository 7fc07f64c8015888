"""The tools of our own, and two of them: a calculator, and a search in the user's chats."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import ToolSpec, canonical
from sessions_app.llm.tools.calculator import ExpressionError, calculate
from sessions_app.llm.tools.sources import Context, Standing, ToolError, ToolOutput

MAX_HITS = 10
MAX_QUERY_CHARACTERS = 200


class Arguments(BaseModel):
    """A tool's arguments; `schema_text` is their JSON schema as the model sees it."""

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
        raise ToolError(str(error)) from error


async def _search_chats(context: Context, arguments: Query) -> str:
    hits = await context.search(context.user_id, arguments.query[:MAX_QUERY_CHARACTERS], MAX_HITS)
    return "\n".join(hits) if hits else "Nothing was found."


@dataclass(frozen=True)
class BuiltinTool(Generic[A]):
    """What the model is told of a tool, the shape of its arguments, and the function that runs it."""

    spec: ToolSpec
    arguments: type[A]
    run: Callable[[Context, A], Awaitable[str]]


def builtin_tool(
    name: str, description: str, arguments: type[A], run: Callable[[Context, A], Awaitable[str]]
) -> BuiltinTool[A]:
    """Return a tool whose definition has the schema of its arguments."""
    return BuiltinTool(ToolSpec(name, description, arguments.schema_text()), arguments, run)


CALCULATOR = builtin_tool("calculator", "Work out an arithmetic expression exactly.", Expression, _calculator)
SEARCH_CHATS = builtin_tool("search_chats", "Search the user's own earlier chats.", Query, _search_chats)


class BuiltinTools:
    """A source of some of them, all of one standing; always there."""

    def __init__(self, *tools: BuiltinTool[Any], standing: Standing = Standing.ALLOWED) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._standing = standing

    @property
    def identity(self) -> str:
        """See `ToolSource`: their definitions, which change with the release."""
        return canonical([[spec.name, spec.description, spec.parameters] for spec in self.specs()])

    @property
    def has_effects(self) -> bool:
        """See `ToolSource`: they work something out, or look something up."""
        return False

    def specs(self) -> Iterable[ToolSpec]:
        """See `ToolSource`."""
        return [tool.spec for tool in self._tools.values()]

    def has(self, name: str) -> bool:
        """See `ToolSource`."""
        return name in self._tools

    async def standing(self, context: Context, name: str) -> Standing:
        """See `ToolSource`."""
        return self._standing

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        """See `ToolSource`."""
        tool = self._tools[call.name]
        try:
            arguments = tool.arguments.model_validate_json(call.arguments)
        except ValidationError as error:
            raise ToolError(f"the arguments do not fit: {_sentence(error)}") from error
        return ToolOutput(await tool.run(context, arguments))


def _sentence(error: ValidationError) -> str:
    """What is wrong with each argument, without the values and links pydantic adds."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(": ".join([*map(str, problem["loc"]), problem["msg"]]) for problem in problems)
