"""A run of one process that is joined in another: AG-UI's client has it all there.

In `make test-thorough`: tests/many/test_responses.py asks the same of a response, by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.agui_api.conftest import NewClients
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

CALL = Call("calculator", '{"expression":"6 * 7"}')


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., list[LiveSite]], loopback: Provider) -> Iterator[list[LiveSite]]:
    """Two processes over one PostgreSQL and Redis; they must end well and have logged no error."""
    env = {"OPENAI_BASE_URL": loopback.base_url, "OPENAI_API_KEY": "loopback"}
    running = start_sites(2, HERMES_MODEL="openai-chat:loopback", HERMES_TURNS_PER_MINUTE="1000", **env)
    running[0].database.add_user("traveller")
    yield running
    for site in running:
        assert site.stop() == 0
        assert site.errors() == []


@pytest.mark.thorough
def test_a_run_is_joined_in_another_process(sites: list[LiveSite], model: Provider, new_clients: NewClients) -> None:
    in_call, at_end = Gate(), Gate()
    model.script(
        Answer(words=["Let me see."], calls=[CALL], gates={2: in_call}), Answer(words=["It is 42."], gates={0: at_end})
    )
    here, there = (new_clients(site, "traveller") for site in sites)
    run_id = str(uuid4())
    first, second = here.agent("thread"), there.agent("thread")
    first.add("Q1")
    first.start(runId=run_id)
    first.until("TOOL_CALL_START")
    second.start(runId=run_id)
    second.until("MESSAGES_SNAPSHOT")
    in_call.open()
    at_end.open()
    whole, joined = first.outcome(), second.outcome()
    assert joined.last["type"] == "RUN_FINISHED"
    assert joined.texts == whole.texts
    assert [each.get("toolCalls") for each in joined.messages] == [each.get("toolCalls") for each in whole.messages]
    # And goes on there.
    assert second.say("Q2", "of the second").texts[-2][1] == "Q2"
