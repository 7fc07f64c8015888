"""The JavaScript client in Node, with a real site; the programs are in javascript/."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from tests.clients.checks import check_run, text_of, thoughts_of
from tests.clients.conftest import many_turns
from tests.clients.conversation import SAID, THOUGHT, javascript_turns, made, program, steps
from tests.clients.cutting import Cutting, cutting
from tests.live import LiveSite
from tests.processes import PATIENCE, Process
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

_REVOKE = """
DELETE FROM sessions_app_apitoken WHERE owner_id = (SELECT id FROM auth_user WHERE username = %s)
"""


def succeeds(process: Process) -> None:
    """Hold that it ends well and has printed nothing but what it tells its test."""
    code = process.wait()
    assert (code, set(process.output) - {"open", "revoke", "restart"}) == (0, set()), "\n".join(process.output)


def test_a_conversation_as_events_words_and_a_message(site: LiveSite, user: str, model: Provider) -> None:
    call = Call("calculator", '{"expression":"6*7"}')
    model.script(Answer(words=["Let me see."], calls=[call]), Answer(words=["42 ", "\U0001f600", "!"]))
    succeeds(program(site, user, "scenarios.js", "conversation"))


def test_an_edit_and_another_answer_are_branches(site: LiveSite, user: str, model: Provider) -> None:
    model.script(*(Answer(words=[f"A{number}"]) for number in range(1, 4)))
    succeeds(program(site, user, "scenarios.js", "branches"))


def test_a_stopped_turn_keeps_its_text(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    succeeds(program(site, user, "scenarios.js", "stopping"))
    gate.open()


@pytest.mark.parametrize("name", ["queue", "others"])
def test_turns_that_wait_and_other_clients(site: LiveSite, user: str, model: Provider, name: str) -> None:
    gate = Gate()
    first = (
        Answer(words=["one"], gates={0: gate}) if name == "queue" else Answer(words=["one ", "two"], gates={1: gate})
    )
    model.script(first, Answer(words=["two"]))
    running = program(site, user, "scenarios.js", name)
    running.line("open")
    gate.open()
    succeeds(running)


def test_errors_are_exceptions(site: LiveSite, user: str, model: Provider) -> None:
    model.script(Answer(status=400))
    succeeds(program(site, user, "scenarios.js", "errors"))


def test_nobody_and_a_wrong_token_are_denied(site: LiveSite, user: str) -> None:
    succeeds(program(site, user, "scenarios.js", "denied"))


def test_a_revoked_token_ends_what_is_waited_for(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    running = program(site, user, "scenarios.js", "revoked")
    running.line("revoke")
    site.database.run(_REVOKE, user)
    succeeds(running)
    gate.open()


@pytest.mark.thorough
def test_a_restarted_process_is_connected_to_again(
    start_site: Callable[..., LiveSite], loopback: Provider, model: Provider
) -> None:
    own = start_site(**many_turns(loopback), HERMES_DRAIN_GRACE="60")
    gate = Gate()
    steps(model, gates={1: gate})
    running = program(own, "owner", "scenarios.js", "restart")
    running.line("restart")
    gate.stood(PATIENCE)
    gate.open()
    own.restart()
    succeeds(running)
    assert own.stop() == 0
    assert own.errors() == []


@pytest.mark.parametrize("each", [8, pytest.param(1, marks=pytest.mark.thorough)])
async def test_an_answer_is_whole_wherever_the_connection_is_cut(
    site: LiveSite, user: str, model: Provider, each: int
) -> None:
    """The suite cuts it at each eighth frame."""
    [whole] = await cut(site, user, model, [{}])
    cuts: list[dict[str, int]] = [{"at_told": at} for at in range(1, whole.told + 1)]
    cuts += [{"at_asked": at} for at in range(1, whole.asked + 1)]
    for proxy in await cut(site, user, model, cuts[::each]):
        assert proxy.has_cut is (proxy.connections > 1)


async def cut(site: LiveSite, user: str, model: Provider, cuts: list[dict[str, int]]) -> list[Cutting]:
    """Have a turn over a connection for each of these cuts, and check all that the client tells of it."""
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(cutting(site.ws_url, **where)) for where in cuts]
        for _ in cuts:
            steps(model)
        turns = [(proxy.url, await made(site, user)) for proxy in proxies]
        for told in await asyncio.to_thread(javascript_turns, site, user, turns):
            check_run(told["events"])
            assert (text_of(told["events"]), thoughts_of(told["events"])) == (SAID, THOUGHT)
            assert told["message"]["text"] == SAID[-1]
            assert told["names"].count("message.created") == 4
    return proxies


@pytest.mark.parametrize("release", ["@ag-ui/client", pytest.param("ag-ui-client-0.0.59", marks=pytest.mark.thorough)])
def test_a_chat_is_an_agent_of_ag_ui(site: LiveSite, user: str, model: Provider, release: str) -> None:
    call = Call("calculator", '{"expression":"6*7"}')
    model.script(
        Answer(reasoning=["Easy."], words=["Let me see."], calls=[call]),
        Answer(words=["It is 42."]),
        *(Answer(words=[text]) for text in ("again", "edited", "more")),
        Answer(words=["one ", "two"], silent=1),
        Answer(words=["never"], silent=0),
        Answer(status=400),
    )
    succeeds(program(site, user, "agent.js", release))
