"""The tools: what they can do, and that nothing a model writes can hang or break them."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.tools.calculator import ExpressionError, calculate
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.tools.sources import Context
from tests.llm.talking import found, remembers


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 1", "2"),
        ("(17 + 4) * 2 / 3", "14"),
        ("2 ** 64", "18446744073709551616"),
        ("7 // 2 - -1", "4"),
        ("7 % 4", "3"),
        ("1 / 3", "0.3333333333333333"),
        ("-2 ** 2", "-4"),
        ("sqrt(2) ** 2", "2.0000000000000004"),
        ("round(pi)", "3"),
        ("2 ** -1", "0.5"),
        ("  +5 ", "5"),
        ("-" * 498 + "1", "1"),
        ("9" * 500, "9" * 500),
    ],
)
def test_arithmetic(expression: str, value: str) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("9**9**9", "too large"),
        ("9**9**9**9", "too large"),
        ("2 ** 4097", "too large"),
        ("(-3) ** 10000", "too large"),
        ("1e308 * 10", "too large"),
        ("10.0 ** 400", "too large"),
        ("exp(1000)", "too large"),
        ("1e999", "too large"),
        ("9" * 501, "longer than 500"),
        ("(" * 250 + "1" + ")" * 249, "not an arithmetic expression"),
        ("1 / 0", "zero"),
        ("0 ** -1", "zero"),
        ("(-8) ** 0.5", "no value"),
        ("sqrt(-1)", "no value"),
        ("__import__('os')", "are understood"),
        ("sqrt.__class__", "are understood"),
        ("True + 1", "are understood"),
        ("'a' * 9999999", "are understood"),
        ("[1] * 9999999", "are understood"),
        ("sqrt(*[1])", "are understood"),
        ("1 << 99999", "are understood"),
        ("", "not an arithmetic expression"),
        ("2 +", "not an arithmetic expression"),
        ("\0", "not an arithmetic expression"),
    ],
)
def test_what_cannot_be_computed_says_why(expression: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        calculate(expression)


@given(st.text("0123456789.+-*/%() e", max_size=40))
def test_no_expression_breaks_it(expression: str) -> None:
    try:
        value = calculate(expression)
    except ExpressionError as error:
        value = str(error)
    assert value


def call(name: str, **arguments: object) -> ToolCall:
    """A call as a model writes it."""
    return ToolCall("call_1", name, json.dumps(arguments))


@pytest.fixture
def context() -> Context:
    return Context(7, found, remembers)


async def said(context: Context, call: ToolCall) -> str:
    """The text that a call brings."""
    return (await site_tools().call(context, call)).text


async def test_the_calculator_tool(context: Context) -> None:
    assert await said(context, call("calculator", expression="6 * 7")) == "42"
    assert await said(context, call("calculator", expression="9**9**9")) == "Error: The result is too large."


async def test_a_search_is_bound_to_its_user(context: Context) -> None:
    assert await said(context, call("search_chats", query="balloon")) == "7: balloon"


async def test_a_search_without_hits_says_so() -> None:
    async def nothing(user_id: int, query: str, limit: int) -> list[str]:
        return []

    assert await said(Context(7, nothing, remembers), call("search_chats", query="x")) == "Nothing was found."


@pytest.mark.parametrize(
    "arguments", ["", "{", "[]", "{}", '{"expression": 5}', '{"expression": "1", "more": 2}', "null"]
)
async def test_arguments_that_do_not_fit_are_told(context: Context, arguments: str) -> None:
    told = await said(context, ToolCall("call_1", "calculator", arguments))
    assert told.startswith("Error: the arguments do not fit: ")


async def test_a_tool_that_does_not_exist_is_told(context: Context) -> None:
    assert await said(context, call("gone")) == "Error: there is no tool 'gone'."


async def test_a_tool_that_fails_is_told_without_internals(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(user_id: int, query: str, limit: int) -> list[str]:
        raise RuntimeError("secret table name")

    told = await said(Context(7, broken, remembers), call("search_chats", query="balloon"))
    assert told == "Error: the tool failed."
    assert caplog.records[-1].levelno == logging.ERROR
    assert "balloon" not in caplog.records[-1].getMessage()


@pytest.mark.parametrize("name", sorted(site_tools().specs()))
def test_a_schema_is_canonical_and_closed(name: str) -> None:
    schema = json.loads(site_tools().specs()[name].parameters)
    assert site_tools().specs()[name].parameters == json.dumps(schema, sort_keys=True, separators=(",", ":"))
    assert schema["additionalProperties"] is False
