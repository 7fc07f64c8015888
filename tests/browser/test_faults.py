"""Requests of the page that fail for a passing reason: nobody is thrown out, and no word is lost."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.faults import Faults
from tests.browser.shell import act
from tests.browser.stories import new_chat, walk
from tests.browser.test_chat import LONG
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

# Seconds: nothing is tried again by itself before the test has ended.
HOUR = 3600


@pytest.fixture
def faults(visitor: Visitor) -> Faults:
    """What fails on the visitor's connections."""
    made = Faults()
    visitor.prepare(made.install)
    return made


def line(page: Page) -> Locator:
    return page.locator("#connection")


def box(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


async def a_chat_that_cannot_be_opened_is_tried_again(page: Page, visitor: Visitor, faults: Faults) -> None:
    await expect(thread(page)).to_contain_text("Here I am")
    await box(page).fill("A draft")
    address = page.url
    faults.fail("session.open", retry_after=HOUR)
    await page.reload()
    await expect(line(page)).to_contain_text("This chat could not be loaded. Trying again")
    await expect(page.locator("#announcer")).to_contain_text("This chat could not be loaded")
    await expect(box(page)).to_have_value("A draft")
    assert page.url == address
    faults.stop()
    await line(page).get_by_role("button", name="Try now").click()
    await expect(thread(page)).to_contain_text("Here I am")
    await expect(line(page)).to_be_hidden()
    await expect(box(page)).to_have_value("A draft")
    assert page.url == address
    await box(page).fill("")


async def the_usage_of_a_chat_is_asked_for_again(page: Page, visitor: Visitor, faults: Faults) -> None:
    await expect(thread(page).get_by_role("button", name="Details")).to_have_count(1)
    faults.fail("session.ledger")
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Usage").click()
    dialog = page.get_by_role("dialog", name="Usage of this chat")
    await expect(dialog.get_by_role("alert")).to_contain_text("Try again in a moment")
    faults.stop()
    await dialog.get_by_role("button", name="Try again").click()
    await expect(dialog).to_contain_text("Instructions")
    await dialog.get_by_role("button", name="Close").click()


async def a_title_that_could_not_be_saved_is_kept(page: Page, visitor: Visitor, faults: Faults) -> None:
    await expect(page.locator("#title")).to_have_text("Pears")
    faults.fail("session.update")
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Rename").click()
    field = page.get_by_label("New title")
    await field.fill("Apples")
    await field.press("Enter")
    await expect(page.locator("#toast")).to_contain_text("Try again in a moment")
    await expect(field).to_have_value("Apples")
    faults.stop()
    await field.press("Enter")
    await expect(page.locator("#title")).to_have_text("Apples")
    await expect(field).to_have_count(0)
    await expect(page.locator("#title")).to_be_focused()


async def the_list_of_chats_is_tried_again(page: Page, visitor: Visitor, faults: Faults) -> None:
    chats = page.get_by_role("navigation", name="Chats")
    await expect(chats).to_contain_text("Apples")
    faults.fail("session.list", retry_after=HOUR)
    await page.goto(visitor.site.base_url)
    await expect(chats).to_contain_text("Your chats could not be loaded.")
    faults.stop()
    await chats.get_by_role("button", name="Try now").click()
    await expect(chats).to_contain_text("Apples")
    await expect(chats).not_to_contain_text("could not be loaded")
    await chats.get_by_role("link", name="Apples").click()


@pytest.mark.thorough
async def test_what_fails_for_a_moment_is_tried_again(visitor: Visitor, provider: Provider, faults: Faults) -> None:
    provider.script(Answer(words=["**Here** I am"]))
    page = await visitor.arrive()
    await say(page, "Pears")
    await expect(thread(page)).to_contain_text("Here I am")
    await walk(
        (
            a_chat_that_cannot_be_opened_is_tried_again,
            the_usage_of_a_chat_is_asked_for_again,
            a_title_that_could_not_be_saved_is_kept,
            the_list_of_chats_is_tried_again,
        ),
        page,
        visitor,
        faults,
    )


@pytest.mark.thorough
async def test_what_was_said_stays_while_requests_fail(visitor: Visitor, provider: Provider, faults: Faults) -> None:
    page = await visitor.arrive()
    for step in (
        a_first_message_without_a_chat_is_given_back,
        a_text_that_is_withdrawn_late_comes_to_the_chat_that_is_open_by_then,
        an_answer_that_comes_late_hides_no_error,
    ):
        await new_chat(page)
        await walk((step,), page, provider, faults)


@pytest.mark.thorough
async def test_older_messages_that_fail_are_tried_again(visitor: Visitor, site: LiveSite, faults: Faults) -> None:
    await visitor.log_in()
    await asyncio.to_thread(act, site, LONG)
    page = await visitor.chat()
    faults.fail("session.messages", retry_after=HOUR)
    await page.get_by_role("navigation", name="Chats").get_by_text("Long one").click()
    await expect(thread(page).get_by_text("message 239", exact=True)).to_be_in_viewport()
    await page.locator("#scroller").evaluate("(box) => { box.scrollTop = 0; }")
    await expect(thread(page)).to_contain_text("Older messages could not be loaded.")
    faults.stop()
    await thread(page).get_by_role("button", name="Try now").click()
    await expect(thread(page).get_by_text("message 150", exact=True)).to_have_count(1)
    await expect(thread(page)).not_to_contain_text("could not be loaded")


async def a_first_message_without_a_chat_is_given_back(page: Page, provider: Provider, faults: Faults) -> None:
    provider.script(Answer(words=["At last"]))
    faults.fail("session.create")
    await say(page, "My question")
    await expect(page.locator("#toast")).to_contain_text("Try again in a moment")
    await expect(box(page)).to_have_value("My question")
    faults.stop()
    faults.fail("turn.start")
    await box(page).press("Enter")
    await expect(thread(page)).to_contain_text("My question")
    await expect(thread(page)).to_contain_text("Try again in a moment")
    faults.stop()
    await thread(page).get_by_role("button", name="Try again").click()
    await expect(thread(page)).to_contain_text("At last")
    await expect(thread(page).get_by_text("My question")).to_have_count(1)


async def an_answer_that_comes_late_hides_no_error(page: Page, provider: Provider, faults: Faults) -> None:
    provider.script(Answer(status=401))
    faults.hold("turn.start")
    await say(page, "Hello")
    note = thread(page).locator(".note")
    await expect(note).to_contain_text("does not accept this site's API key")
    faults.stop()
    await expect(note.get_by_role("button", name="Try again")).to_have_count(1)
    await expect(note).to_contain_text("does not accept this site's API key")


async def a_text_that_is_withdrawn_late_comes_to_the_chat_that_is_open_by_then(
    page: Page, provider: Provider, faults: Faults
) -> None:
    gate = Gate()
    provider.script(Answer(words=["One"], gates={0: gate}))
    await say(page, "first")
    await say(page, "second")
    queue = page.locator(".message.waiting")
    await expect(queue).to_have_count(1)
    faults.hold("turn.stop")
    await queue.get_by_role("button", name="Remove").click()
    await page.get_by_role("link", name="New chat", exact=True).click()
    await expect(page.locator("#title")).to_have_text("New chat")
    faults.stop()
    await expect(box(page)).to_have_value("second")
    gate.open()
