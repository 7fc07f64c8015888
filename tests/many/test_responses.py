"""OpenAI's responses over two processes: one runs them, and the other is asked for them. On PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from openai import OpenAI

from tests.live import LiveSite
from tests.many.conftest import Sites
from tests.openai_api.types import exact_events
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

MODEL = "Default"
NewClient = Callable[[LiveSite], OpenAI]


@pytest.fixture
def new_client(user: str) -> Iterator[NewClient]:
    """OpenAI's client of the user at a site."""
    with ExitStack() as clients:
        yield lambda site: clients.enter_context(
            OpenAI(base_url=f"{site.base_url}/v1", api_key=site.tokens[user], max_retries=0)
        )


def test_one_that_runs_elsewhere_is_streamed_from_its_beginning(
    sites: Sites, provider: Provider, new_client: NewClient
) -> None:
    gate = Gate()
    provider.script(Answer(words=["one ", "two ", "three"], gates={2: gate}))
    one, other = map(new_client, sites)
    begun = one.responses.create(model=MODEL, input="Hello", background=True)
    gate.stood(PATIENCE)
    stream: Any = other.responses.retrieve(begun.id, stream=True)
    events = [next(stream), next(stream)]
    gate.open()
    events += stream
    exact_events(events)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "one two three"
    assert events[-1].response == one.responses.retrieve(begun.id)


@pytest.mark.thorough
def test_one_that_runs_elsewhere_is_cancelled(sites: Sites, provider: Provider, new_client: NewClient) -> None:
    gate = Gate()
    provider.script(Answer(words=["one ", "two"], gates={1: gate}))
    one, other = map(new_client, sites)
    begun = one.responses.create(model=MODEL, input="Hello", background=True)
    gate.stood(PATIENCE)
    assert other.responses.cancel(begun.id).status == "cancelled"
    assert one.responses.retrieve(begun.id).status == "cancelled"
    gate.open()


@pytest.mark.thorough
def test_a_chain_goes_on_in_any_process(sites: Sites, provider: Provider, new_client: NewClient) -> None:
    provider.script(Answer(words=["A1"]), Answer(words=["A2"]), Answer(words=["A3"]))
    one, other = map(new_client, sites)
    first = one.responses.create(model=MODEL, input="Q1")
    second = other.responses.create(model=MODEL, input="Q2", previous_response_id=first.id)
    third = one.responses.create(model=MODEL, input="Q3", previous_response_id=second.id, store=False)
    assert third.output_text == "A3"
    sent = [each["content"] for each in provider.requests[-1].json["messages"][1:]]
    assert sent == ["Q1", "A1", "Q2", "A2", "Q3"]
    other.responses.delete(second.id)
