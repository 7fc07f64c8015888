"""What a server lists and what new sessions are told: names, offers, and what is taken of them."""

from __future__ import annotations

import pytest

from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.tools.client_tools import ToolDefinitionError
from sessions_app.models import AgentProfile, ToolServer, ToolServerTool, ToolStanding
from sessions_app.session_store.chats import prefix_of
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.definitions import specs_of_profile
from sessions_app.tool_servers.listing import OfferedTool
from sessions_app.tool_servers.names import full_names

SCHEMA = '{"properties":{},"type":"object"}'
ALLOWED, ASK, OFF = ToolStanding.ALLOWED, ToolStanding.ASK, ToolStanding.OFF

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> AgentProfile:
    return AgentProfile.default()


@pytest.fixture
def server(profile: AgentProfile) -> ToolServer:
    """A server with the tools `a` (allowed), `b` (asked for) and `c` (off)."""
    made = ToolServer.objects.create(name="s", url="https://tools.example/mcp")
    made.profiles.add(profile)
    offers.record(made, [offer("a"), offer("b"), offer("c")])
    offers.switch(made, {"a": ALLOWED, "b": ASK})
    return made


def offer(name: str, description: str = "As it was.", problem: str = "") -> OfferedTool:
    return OfferedTool(name, description, SCHEMA, problem)


def told(profile: AgentProfile) -> dict[str, str]:
    """The tools of servers that a new session is told of, with their descriptions."""
    prefix: FrozenPrefix = prefix_of(profile, specs_of_profile(profile), remembers=False)
    return {tool.name: tool.description for tool in prefix.tools if tool.name.startswith("s_")}


def test_new_sessions_are_told_of_what_is_not_off(server: ToolServer, profile: AgentProfile) -> None:
    assert told(profile) == {"s_a": "As it was.", "s_b": "As it was."}
    assert told(AgentProfile.objects.create(name="another")) == {}
    ToolServer.objects.update(enabled=False)
    assert told(profile) == {}


@pytest.mark.both_databases
def test_a_change_is_an_offer_until_it_is_taken(server: ToolServer, profile: AgentProfile) -> None:
    before = prefix_of(profile, specs_of_profile(profile), remembers=False).to_json()
    offers.record(server, [offer("d"), offer("c", "Other."), offer("a", "Other.")])
    assert prefix_of(profile, specs_of_profile(profile), remembers=False).to_json() == before
    rows = {tool.name: tool for tool in server.tools.all()}
    assert {name: (tool.is_changed, tool.is_offered) for name, tool in rows.items()} == {
        "a": (True, True),
        "b": (False, False),
        "c": (False, True),
        "d": (False, True),
    }
    offers.switch(server, {"a": ALLOWED, "b": ASK})
    assert told(profile) == {"s_a": "Other.", "s_b": "As it was."}


def test_a_definition_that_cannot_be_used_is_not_taken(server: ToolServer, profile: AgentProfile) -> None:
    offers.record(server, [OfferedTool("a", "", "", "It is no schema."), OfferedTool("e", "", "", "It is none.")])
    assert told(profile)["s_a"] == "As it was."
    with pytest.raises(ToolDefinitionError, match="The tool e cannot be used: It is none"):
        offers.switch(server, {"e": ALLOWED})
    assert set(ToolServerTool.objects.filter(standing=ALLOWED).values_list("name", flat=True)) == {"a"}


def test_more_tools_than_a_session_may_have_are_refused(server: ToolServer) -> None:
    names = [f"t{number}" for number in range(200)]
    offers.record(server, map(offer, names))
    with pytest.raises(ToolDefinitionError, match="Default would have too much: 200 tools; 128 are allowed"):
        offers.switch(server, dict.fromkeys(names, ALLOWED))
    assert server.tools.exclude(standing=OFF).count() == 2


def test_names_are_cleaned_and_never_two_of_one() -> None:
    tools = ["get-sum", "get_sum", "get.sum", "ä" * 80, "x" * 80]
    named = full_names("s", tools, {"s_taken"})
    assert named == full_names("s", reversed(tools), {"s_taken"})
    assert named["get_sum"] == "s_get_sum"
    assert len(set(named.values())) == len(tools)
    assert all(name.isascii() and name.replace("_", "").isalnum() and len(name) <= 64 for name in named.values())
    assert full_names("s", ["taken"], {"s_taken"})["taken"].startswith("s_taken_")


@pytest.mark.parametrize("own", ["search_chats", "web_search", "read_page"])
def test_a_tool_gets_no_name_of_a_tool_of_this_site(profile: AgentProfile, own: str) -> None:
    """Also of one that is switched off: it may be switched on, and whose call would it be then?"""
    server, _, tool = own.partition("_")
    made = ToolServer.objects.create(name=server, url="https://tools.example/mcp")
    offers.record(made, [offer(tool)])
    assert made.tools.get().full_name != own


def test_a_tool_keeps_its_name_when_others_come(server: ToolServer) -> None:
    offers.record(server, [offer("x-y")])
    assert server.tools.get(name="x-y").full_name == "s_x_y"
    offers.record(server, [offer("x_y"), offer("x-y")])
    assert server.tools.get(name="x-y").full_name == "s_x_y"
    assert server.tools.get(name="x_y").full_name.startswith("s_x_y_")
    other = ToolServer.objects.create(name="s_x", url="https://other.example/mcp")
    offers.record(other, [offer("y")])
    assert other.tools.get(name="y").full_name.startswith("s_x_y_")
