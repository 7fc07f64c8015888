"""The Python client when its connection is lost, wherever that is: nothing of an answer is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hermes_client import Disconnected, connect, connection
from tests.clients.checks import check_run, text_of, thoughts_of
from tests.clients.conftest import many_turns
from tests.clients.conversation import SAID, THOUGHT, made, steps, through
from tests.clients.cutting import Cutting, cutting
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Gate


async def converse(site: LiveSite, user: str, model: Provider, **cut: int) -> Cutting:
    """Have a turn over a connection that is cut at a frame, and check all that is told of it."""
    steps(model)
    session_id = await made(site, user)
    async with cutting(site.ws_url, **cut) as proxy, through(proxy, site, user) as client:
        facts = client.facts()
        chat = await client.open(session_id)
        run = await chat.send("What is 6*7?")
        events = [event async for event in run]
        check_run(events)
        assert (text_of(events), thoughts_of(events)) == (SAID, THOUGHT)
        types = [event["type"] for event in events]
        assert types.count("TOOL_CALL_START") == types.count("TOOL_CALL_RESULT") == 1
        assert (
            "".join(event["delta"] for event in events if event["type"] == "TOOL_CALL_ARGS") == '{"expression":"6*7"}'
        )
        assert run.message is not None
        assert run.message["text"] == SAID[-1]
        names = []
        while "turn.ended" not in names:
            fact = await anext(facts)
            assert fact is not None
            names.append(fact["event"]["name"])
        assert names.count("message.created") == 4
        opened = await client.call("session.open", session_id=session_id)
        assert [message["role"] for message in opened["messages"]] == ["user", "assistant", "tool", "assistant"]
    return proxy


@pytest.mark.parametrize("each", [8, pytest.param(1, marks=pytest.mark.thorough)])
async def test_an_answer_is_whole_wherever_the_connection_is_cut(
    site: LiveSite, user: str, model: Provider, monkeypatch: pytest.MonkeyPatch, each: int
) -> None:
    """The suite cuts it at each eighth frame."""
    monkeypatch.setattr(connection, "FIRST_PAUSE", 0.0)
    whole = await converse(site, user, model)
    assert whole.connections == 1
    cuts = [{"at_told": at} for at in range(1, whole.told + 1)]
    cuts += [{"at_asked": at} for at in range(1, whole.asked + 1)]
    for cut in cuts[::each]:
        proxy = await converse(site, user, model, **cut)
        assert proxy.has_cut is (proxy.connections > 1)


async def test_what_was_said_meanwhile_is_told_when_it_is_back(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    steps(model, gates={1: gate})
    session_id = await made(site, user)
    async with cutting(site.ws_url) as proxy, through(proxy, site, user) as client:
        run = await (await client.open(session_id)).send("What is 6*7?")
        told: list[dict[str, Any]] = []
        async for event in run:
            told.append(event)
            if event["type"] == "TEXT_MESSAGE_CONTENT" and len(text_of(told)) == 2:
                proxy.cut()
                gate.open()
        check_run(told)
        assert text_of(told) == SAID


async def test_a_request_that_may_not_be_repeated_says_so(site: LiveSite, user: str) -> None:
    async with cutting(site.ws_url) as proxy, through(proxy, site, user) as client:
        proxy.at_told = proxy.told + 1
        with pytest.raises(Disconnected):
            await client.call("session.create", title="once or never")
        assert len([session async for session in client.sessions()]) <= 1


@pytest.mark.thorough
async def test_a_restarted_process_is_connected_to_again(
    start_site: Callable[..., LiveSite], loopback: Provider, model: Provider
) -> None:
    own = await asyncio.to_thread(lambda: start_site(**many_turns(loopback), HERMES_DRAIN_GRACE="60"))
    gate = Gate()
    steps(model, gates={1: gate})
    async with await connect(own.ws_url, own.tokens["owner"]) as client:
        chat = await client.create()
        run = await chat.send("What is 6*7?")
        await gate.reached()
        restart = asyncio.create_task(asyncio.to_thread(own.restart))
        gate.open()
        events = [event async for event in run]
        check_run(events)
        assert text_of(events) == SAID
        await restart
        assert await (await chat.send("And now?")).answer() is not None
    assert await asyncio.to_thread(own.stop) == 0
    assert own.errors() == []


@pytest.mark.thorough
async def test_a_process_that_dies_ends_its_run_as_interrupted(
    start_site: Callable[..., LiveSite], loopback: Provider, model: Provider
) -> None:
    own = await asyncio.to_thread(lambda: start_site(**many_turns(loopback), HERMES_TURN_LEASE="2"))
    gate = Gate()
    steps(model, gates={1: gate})
    async with await connect(own.ws_url, own.tokens["owner"]) as client:
        run = await (await client.create()).send("What is 6*7?")
        await gate.reached()
        await asyncio.to_thread(own.kill)
        await asyncio.to_thread(own.restart)
        events = [event async for event in run]
        check_run(events)
        assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", "interrupted")
    gate.open()
