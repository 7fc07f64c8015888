"""Both clients where a user's connections are to two processes of a site, and a lost one comes back to the other.

In `make test-thorough`: the suite has cut connections in one process, and what is told elsewhere in tests/many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hermes_client import connect
from tests.clients.checks import check_run, text_of
from tests.clients.conftest import many_turns
from tests.clients.conversation import SAID, javascript_turns, made, steps, through
from tests.clients.cutting import cutting
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Gate

# A frame amid the first step.
AMID = 8


@pytest.mark.thorough
async def test_a_run_goes_on_in_another_process(
    start_sites: Callable[..., list[LiveSite]], loopback: Provider, model: Provider
) -> None:
    sites = await asyncio.to_thread(lambda: start_sites(2, **many_turns(loopback)))
    gate = Gate()
    steps(model, gates={1: gate})
    async with (
        cutting(*(each.ws_url for each in sites)) as proxy,
        through(proxy, sites[0], "owner") as client,
        await connect(sites[1].ws_url, sites[1].tokens["owner"]) as other,
    ):
        chat = await client.create()
        run = await chat.send("What is 6*7?")
        await gate.reached()
        watched = (await other.open(chat.id)).running
        assert watched is not None
        proxy.cut()  # the second connection is to the other process
        gate.open()
        events = [event async for event in run]
        check_run(events)
        assert text_of(events) == SAID
        assert "".join([text async for text in watched.texts()]) == SAID[-1]
        assert proxy.connections == 2
    for _ in range(2):
        steps(model)
    async with cutting(*(each.ws_url for each in sites), at_told=AMID) as proxy:
        session_id = await made(sites[0], "owner")
        [told] = await asyncio.to_thread(javascript_turns, sites[0], "owner", [(proxy.url, session_id)])
        check_run(told["events"])
        assert text_of(told["events"]) == SAID
        assert proxy.connections == 2
