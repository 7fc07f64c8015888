"""Turns whose model calls the tools of real servers: of the reference server, and one written with the Python SDK."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from sessions_app import database
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.models import AgentProfile, MessageFile, ToolServer, ToolStanding, UserFile
from sessions_app.session_store import chats
from sessions_app.tool_servers import offers
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.stamps.stored import assert_storage_is_true
from tests.tool_servers.adding import add_server, set_standing
from tests.tool_servers.conftest import EVERYTHING, PLAIN, PYTHON
from tests.tool_servers.hostile import HostileServer
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewSession
from tests.turns.host import Host, said, types, within


def call(tool: str, /, **arguments: Any) -> Call:
    return Call(tool, json.dumps(arguments))


async def results(chat: UUID) -> list[str]:
    """What the tools have brought, as the model is told it."""
    return [text for role, text, _ in await said(chat) if role == "tool"]


@pytest.mark.parametrize("way", ["HTTP", pytest.param("process", marks=pytest.mark.thorough)])
async def test_tools_are_called_at_once_and_one_after_the_other(
    host: Host, session: NewSession, provider: Provider, python_url: str, way: str
) -> None:
    url, command = (python_url, "") if way == "HTTP" else ("", PYTHON)
    await add_server("python", url, command=command, allow=("add", "weather", "fail"))
    both = [call("python_add", a=1, b=2), call("python_weather", city="Rome"), call("python_fail")]
    provider.script(Answer(calls=both), Answer(calls=[call("python_add", a=3, b=4)]), Answer(["done"]))
    chat = await session()
    await host.turn(chat)
    told = await results(chat)
    assert [told[0], json.loads(told[1])["degrees"], told[2], told[3]] == [
        "3",
        21,
        "Error: Error executing tool fail: the shelf is empty",
        "7",
    ]
    assert {tool["function"]["name"] for tool in provider.requests[0].json["tools"]} >= {"python_add", "python_fail"}


@pytest.mark.parametrize("way", [pytest.param("HTTP", marks=pytest.mark.thorough), "process"])
async def test_the_reference_servers_tools_are_called(
    host: Host, session: NewSession, provider: Provider, everything_url: str, way: str
) -> None:
    url, command = (everything_url, "") if way == "HTTP" else ("", EVERYTHING)
    await add_server("everything", url, command=command, allow=("echo", "get-sum", "get-structured-content"))
    calls = [
        call("everything_echo", message="hi"),
        call("everything_get_sum", a=1, b=2),
        call("everything_get_structured_content", location="New York"),
        call("everything_get_sum", a="one"),
    ]
    provider.script(Answer(calls=calls))
    chat = await session()
    await host.turn(chat)
    echo, total, structured, wrong = await results(chat)
    assert (echo, total) == ("Echo: hi", "The sum of 1 and 2 is 3.")
    assert json.loads(structured)["temperature"] == 33
    assert wrong.startswith("Error: ")


async def test_the_reference_servers_picture_is_shown(
    host: Host, session: NewSession, provider: Provider, everything_url: str
) -> None:
    """Its PNG has a note with a wrong checksum, which browsers do not mind."""
    await add_server("everything", url=everything_url, allow=("get-tiny-image",))
    provider.script(Answer(calls=[call("everything_get_tiny_image")]), Answer(["seen"]))
    chat = await session()
    await host.turn(chat)
    [shown] = [message.files for message in (await host.open(chat))["messages"] if message.role == "tool"]
    assert [(file.media_type, file.width) for file in shown] == [("image/png", 20)]
    assert b"iVBOR" in provider.bodies[-1]


async def test_what_is_switched_off_is_not_called(
    host: Host, session: NewSession, provider: Provider, python_url: str
) -> None:
    server = await add_server("python", url=python_url, allow=("add",))
    chat = await session()
    add = call("python_add", a=1, b=2)
    provider.script(Answer(calls=[add, call("python_fail")]))
    await host.turn(chat)
    await set_standing("python_add", ToolStanding.OFF)
    provider.script(Answer(calls=[add]))
    await host.turn(chat)
    await set_standing("python_add", ToolStanding.ALLOWED)
    await database.write(lambda: ToolServer.objects.filter(pk=server.pk).update(enabled=False))
    provider.script(Answer(calls=[add]))
    await host.turn(chat)
    off = "Error: the tool python_add is switched off."
    assert await results(chat) == ["3", "Error: there is no tool 'python_fail'.", off, off]


@pytest.mark.parametrize(
    "wire", [RESPONSES, *(pytest.param(wire, marks=pytest.mark.thorough) for wire in (CHAT, ANTHROPIC))]
)
async def test_a_picture_is_shown_kept_and_sent_again_byte_by_byte(
    host: Host, session: NewSession, provider: Provider, python_url: str, settings: Settings, wire: str
) -> None:
    settings.HERMES_MODEL = wire
    await add_server("python", url=python_url, allow=("picture",))
    both = [call("python_picture", colour="red"), call("python_picture", colour="blue")]
    provider.script(Answer(calls=both), Answer(["seen"]))
    chat = await session()
    await host.turn(chat)
    opened = await host.open(chat)
    shown = [message.files for message in opened["messages"] if message.role == "tool"]
    assert [file.media_type for files in shown for file in files] == ["image/png", "image/png"]
    assert await results(chat) == ["A red picture.", "A blue picture."]
    await database.read(assert_storage_is_true)
    sent = provider.requests[1].body
    assert sent.count(b"[What the tool python_picture has brought:]") == 2
    assert sent.count(b"iVBOR") == 2
    await host.runner.pool.close()
    await host.turn(chat, "and now?")
    assert extends(provider.bodies[2], provider.bodies[1])
    await database.write(lambda: pictures_are_kept(host.user_id))


def pictures_are_kept(user_id: int) -> None:
    assert MessageFile.objects.count() == 2
    assert UserFile.objects.filter(owner_id=user_id, attached=True).count() == 2


async def test_a_picture_without_room_is_told_in_its_place(
    host: Host, session: NewSession, provider: Provider, python_url: str, settings: Settings
) -> None:
    settings.HERMES_FILE_QUOTA = 1
    await add_server("python", url=python_url, allow=("picture",))
    provider.script(Answer(calls=[call("python_picture", colour="red")]))
    chat = await session()
    await host.turn(chat)
    [told] = await results(chat)
    assert told.startswith("A red picture.\n\n[A picture was left out: ")
    assert b"iVBOR" not in provider.bodies[-1]


async def test_a_model_that_sees_no_pictures_is_told_their_names(
    host: Host, session: NewSession, provider: Provider, python_url: str
) -> None:
    await add_server("python", url=python_url, allow=("picture",))
    await database.write(lambda: AgentProfile.objects.update(takes_images=False))
    provider.script(Answer(calls=[call("python_picture", colour="red")]))
    chat = await session()
    await host.turn(chat)
    assert b"[Pictures that you cannot see: python_picture-1.png]" in provider.bodies[-1]
    assert b"iVBOR" not in provider.bodies[-1]


async def test_progress_is_an_event_of_the_run(
    host: Host, session: NewSession, provider: Provider, python_url: str
) -> None:
    await add_server("python", url=python_url, allow=("count",))
    provider.script(Answer(calls=[call("python_count", to=500)]), Answer(["done"]))
    chat = await session()
    asked = await host.ask(chat)
    await host.listener.end_of(asked.run_id)
    events = host.listener.run(asked.run_id)
    assert types(events)[:6] == [
        "RUN_STARTED", "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "CUSTOM", "TOOL_CALL_RESULT",
    ]  # fmt: skip
    told = [event["event"]["value"] for event in events if event["event"]["type"] == "CUSTOM"]
    [started] = [event["event"]["toolCallId"] for event in events if event["event"]["type"] == "TOOL_CALL_START"]
    assert told[0] == {"toolCallId": started, "progress": 1.0, "total": 500.0, "message": "1 of 500"}
    assert len(told) < 100
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert await results(chat) == ["Counted to 500."]


async def test_who_opens_a_chat_sees_the_call_that_is_made(
    host: Host, session: NewSession, provider: Provider, python_url: str
) -> None:
    await add_server("python", url=python_url, allow=("count",))
    provider.script(Answer(calls=[call("python_count", to=2, seconds=600)]))
    chat = await session()
    asked = await host.ask(chat)
    told = await host.listener.until(lambda event: event["event"].get("name") == "tool.progress")
    run: RunShape = (await host.open(chat))["run"]
    [made] = run.calls
    assert (made.name, json.loads(made.arguments), run.seq) == ("python_count", {"to": 2, "seconds": 600}, told["seq"])
    assert made.progress is not None
    assert made.progress.model_dump() == told["event"]["value"]
    await host.stop(chat, asked.run_id)


async def test_a_stopped_turn_ends_its_call_at_the_server(
    host: Host, session: NewSession, provider: Provider, python_url: str
) -> None:
    await add_server("python", url=python_url, allow=("wait", "cancelled_calls"))
    provider.script(Answer(calls=[call("python_wait", name="this one")]))
    chat = await session()
    asked = await host.ask(chat)
    await host.listener.until(lambda event: event["event"].get("name") == "tool.progress")
    assert await host.stop(chat, asked.run_id)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    provider.script(Answer(calls=[call("python_cancelled_calls")]))
    await host.turn(chat, "was it?")
    assert (await results(chat))[-1] == "this one"


async def test_a_server_that_crashes_is_started_again(host: Host, session: NewSession, provider: Provider) -> None:
    await add_server("plain", command=PLAIN, allow=("crash", "echo"))
    provider.script(
        Answer(calls=[call("plain_echo", text="two")]),
        Answer(calls=[call("plain_crash")]),
        Answer(calls=[call("plain_echo", text="three")]),
    )
    chat = await session()
    await host.turn(chat)
    assert await results(chat) == ["two", "Error: The tool server plain ended in the middle of the call.", "three"]


async def test_a_server_that_has_forgotten_its_session_is_asked_again(
    host: Host, session: NewSession, provider: Provider
) -> None:
    server = HostileServer()
    async with server.serve() as url:
        await add_server("bad", url, allow=("echo",))
        chat = await session()
        for server.session in ("one", "another"):
            provider.script(Answer(calls=[call("bad_echo")]))
            await host.turn(chat)
    assert await results(chat) == ["said", "said"]
    assert server.calls == ["echo", "echo"]


async def test_credentials_are_sent_and_a_process_gets_no_secrets(
    host: Host, session: NewSession, provider: Provider, python_url: str
) -> None:
    await add_server("far", url=python_url, allow=("who-am.i",), headers={"Authorization": "Bearer abc"})
    await add_server("near", command=PLAIN, allow=("environment",))
    provider.script(Answer(calls=[call("far_who_am_i"), call("near_environment")]))
    chat = await session()
    await host.turn(chat)
    credentials, environment = await results(chat)
    assert credentials == "Bearer abc"
    assert (
        {"PATH"}
        <= set(environment.split(","))
        <= {"HOME", "LANG", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "USER"}
    )


async def test_no_byte_changes_while_a_server_changes_is_away_and_comes_back(
    host: Host, session: NewSession, provider: Provider, python_url: str
) -> None:
    server = await add_server("python", url=python_url, allow=("add", "weather"))
    chat = await session()
    await host.turn(chat)

    def changed(url: str, standing: str) -> None:
        ToolServer.objects.filter(pk=server.pk).update(url=url)
        server.tools.filter(name="add").update(
            offered_description="Other.", offered_parameters='{"properties":{},"type":"object"}', is_offered=False
        )
        server.tools.filter(name="weather").update(standing=standing)

    for url, standing in (("http://127.0.0.1:1/mcp", "off"), (python_url, "ask")):
        await database.write(changed, url, standing)
        provider.script(Answer(calls=[call("python_add", a=1, b=1)]))
        await host.turn(chat, "and?")
    tools = [json.dumps(request.json["tools"]) for request in provider.requests]
    assert len(set(tools)) == 1
    assert await results(chat) == ["Error: The tool server python could not be reached.", "2"]
    await database.write(offers.switch, server, {"add": ToolStanding.ALLOWED})
    await host.turn(chat, "still the same")
    assert json.dumps(provider.requests[-1].json["tools"]) == tools[0]
    applied = await database.write(chats.apply_profile, host.user_id, chat)
    assert applied.id == chat
    await within(host.turn(chat, "and now"))
    [add] = [tool["function"] for tool in provider.requests[-1].json["tools"] if "python" in tool["function"]["name"]]
    assert add["description"] == "Other."
