"""Tools come from sources, which may list them in any order, go away, and come back."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from sessions_app.llm.agent import Agent, signature
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.providers import Providers
from sessions_app.llm.tools.builtin import CALCULATOR, SEARCH_CHATS, BuiltinTools
from sessions_app.llm.tools.registry import ToolRegistry
from sessions_app.llm.tools.sources import Context, Standing, ToolOutput
from tests.llm.talking import WIRES, Session, extends, found, remembers, split
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

NAMES = ["weather_today", "weather_alerts", "calculator"]


class ToolServer:
    """A source as a tool server is: what it lists changes while it serves."""

    identity = "https://weather.example"
    has_effects = True

    def __init__(self) -> None:
        self.names = ["weather_today", "weather_alerts"]
        self.is_away = False

    def specs(self) -> Iterable[ToolSpec]:
        return [] if self.is_away else [ToolSpec(name, f"The {name}.", '{"type":"object"}') for name in self.names]

    def has(self, name: str) -> bool:
        return any(spec.name == name for spec in self.specs())

    async def standing(self, context: Context, name: str) -> Standing:
        return Standing.OFF if name == "weather_alerts" else Standing.ASK

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        return ToolOutput(f"{call.name}: rain")


@pytest.fixture
def server() -> ToolServer:
    return ToolServer()


@pytest.fixture
def tools(server: ToolServer) -> ToolRegistry:
    return ToolRegistry([BuiltinTools(CALCULATOR, SEARCH_CHATS), server])


@pytest.mark.parametrize("model", WIRES)
async def test_tools_listed_in_another_order_or_away_change_no_byte(
    provider: Provider, providers: Providers, server: ToolServer, tools: ToolRegistry, model: str
) -> None:
    def begun(session_id: str, names: list[str]) -> Session:
        session = Session(providers, model, id=session_id, prefix=tools.freeze("Be brief.", names))
        session.agent = Agent(providers, tools, Context(1, found, remembers))
        return session

    session, agents = begun("one", NAMES), signature(tools)
    for change in ("as it began", "other order", "away", "back"):
        server.is_away = change == "away"
        server.names.sort(reverse=change == "other order")
        provider.script(Answer(calls=[Call("weather_today", "{}")]), Answer([change]))
        await session.turn(change)
        session.forget()
        assert signature(tools) == agents
    assert all(extends(later, earlier) for earlier, later in itertools.pairwise(provider.bodies))
    server.names.reverse()
    await begun("two", NAMES[::-1]).turn("another session of the same profile")
    heads = [split(body)[0] for body in (provider.bodies[0], provider.bodies[-1])]
    tails = [split(body)[2].replace(b'"two"', b'"one"') for body in (provider.bodies[0], provider.bodies[-1])]
    assert heads[0] == heads[1]
    assert tails[0] == tails[1]


async def test_a_call_goes_to_the_source_that_has_the_tool(tools: ToolRegistry) -> None:
    context = Context(1, found, remembers)
    assert await tools.call(context, ToolCall("1", "weather_today", "{}")) == ToolOutput("weather_today: rain")
    assert await tools.call(context, ToolCall("2", "calculator", '{"expression": "6 * 7"}')) == ToolOutput("42")


async def test_a_tool_whose_server_is_away_is_told_to_be_gone(server: ToolServer, tools: ToolRegistry) -> None:
    server.is_away = True
    told = await tools.call(Context(1, found, remembers), ToolCall("1", "weather_today", "{}"))
    assert told.text == "Error: there is no tool 'weather_today'."


async def test_of_two_tools_with_one_name_the_earlier_sources_counts(server: ToolServer) -> None:
    server.names = ["calculator"]
    tools = ToolRegistry([BuiltinTools(CALCULATOR, SEARCH_CHATS), server])
    assert tools.specs()["calculator"].description == "Work out an arithmetic expression exactly."
    told = await tools.call(Context(1, found, remembers), ToolCall("1", "calculator", '{"expression": "6 * 7"}'))
    assert told.text == "42"


def test_a_tool_that_is_not_there_is_left_out_of_a_new_prefix(server: ToolServer, tools: ToolRegistry) -> None:
    server.is_away = True
    assert [tool.name for tool in tools.freeze("x", NAMES).tools] == ["calculator"]


async def test_the_standing_of_a_tool_is_its_sources_word(server: ToolServer, tools: ToolRegistry) -> None:
    context = Context(1, found, remembers)
    found_standings = {name: await tools.standing(context, name) for name in [*NAMES, "unknown"]}
    assert found_standings == {
        "weather_today": Standing.ASK,
        "weather_alerts": Standing.OFF,
        "calculator": Standing.ALLOWED,
        "unknown": Standing.OFF,
    }
