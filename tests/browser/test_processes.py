"""Two tabs of one person, each at another process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visitor, await_checkpoint, ready, say, thread
from tests.browser.contexts import new_context
from tests.browser.stories import walk
from tests.live import LiveSite
from tests.many.outside import let_owners_be_silent
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


def queue(page: Page) -> Locator:
    return page.locator(".message.waiting")


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., list[LiveSite]], lasting_provider: Provider) -> Iterator[list[LiveSite]]:
    """Two processes over one PostgreSQL and Redis."""
    running = start_sites(
        2,
        HERMES_MODEL="openai-chat:loopback",
        OPENAI_BASE_URL=lasting_provider.base_url,
        OPENAI_API_KEY="loopback",
        HERMES_PROVIDER_RETRIES="0",
        HERMES_TURN_LEASE="60",
    )
    yield running
    assert running[1].stop() == 0


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser, sites: list[LiveSite], provider: Provider) -> AsyncIterator[tuple[Page, Page]]:
    """One person's tabs, with the same chat open in each."""
    provider.script(Answer(["Nobody"]))
    context = await new_context(browser)
    person = Visitor(context, sites[0])
    with person.watched():
        here = await person.arrive()
        await say(here, "Who are you?")
        await expect(thread(here)).to_contain_text("Nobody")
        there = await context.new_page()
        await there.goto(sites[1].base_url + "/")
        await ready(there)
        await there.locator("#sessions a").first.click()
        await expect(thread(there)).to_contain_text("Nobody")
        yield here, there
    await context.close()
    assert person.problems == []


async def an_answer_streams_into_the_tab_of_the_other_process(
    provider: Provider, sites: list[LiveSite], tabs: tuple[Page, Page]
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}), Answer(["Three"]))
    here, there = tabs
    await say(here, "Count!")
    await expect(thread(there)).to_contain_text("One")
    await say(there, "And then?")
    await expect(queue(here)).to_contain_text("And then?")
    gate.open()
    for tab in (here, there):
        await expect(thread(tab)).to_contain_text("One two")
        await expect(thread(tab)).to_contain_text("Three")
        await expect(thread(tab).get_by_text("And then?")).to_have_count(1)


async def the_death_of_a_process_is_told_in_the_other_and_the_queue_goes_on(
    provider: Provider, sites: list[LiveSite], tabs: tuple[Page, Page]
) -> None:
    provider.script(Answer(["Kept ", "lost"], gates={1: Gate()}), Answer(["The next"]))
    here, there = tabs
    await say(here, "Begin!")
    await expect(thread(there)).to_contain_text("Kept")
    await say(there, "Go on!")
    await expect(queue(here)).to_contain_text("Go on!")
    await asyncio.to_thread(await_checkpoint, sites[0], "Kept ")
    await asyncio.to_thread(sites[0].kill)
    await asyncio.to_thread(let_owners_be_silent, sites[0].database)
    await expect(thread(there)).to_contain_text("interrupted", ignore_case=True)
    await expect(thread(there)).to_contain_text("The next")
    await expect(thread(there).get_by_text("Go on!")).to_have_count(1)


async def test_two_processes_are_one_site_for_two_tabs(
    provider: Provider, sites: list[LiveSite], tabs: tuple[Page, Page]
) -> None:
    await walk(
        (
            an_answer_streams_into_the_tab_of_the_other_process,
            the_death_of_a_process_is_told_in_the_other_and_the_queue_goes_on,
        ),
        provider,
        sites,
        tabs,
    )
