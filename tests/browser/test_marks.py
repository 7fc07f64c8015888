"""The marks of chats: an answer runs, a new one has come, a draft; and archiving is undone.

The suite asks it of the page's parts: tests/page/marks.test.js.
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.stories import new_chat, walk
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

pytestmark = pytest.mark.thorough

NEW_CHAT = "New chat · Hermes Site"


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("navigation", name="Chats").get_by_role("link", name=re.compile(f"^{title}"))


async def an_answer_in_another_chat_runs_comes_and_is_read(page: Page, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["One ", "two"], gates={1: gate}))
    await say(page, "Pears")
    await expect(thread(page)).to_contain_text("One")
    await expect(page).to_have_title("● Pears · Hermes Site")
    await new_chat(page)
    for is_reloaded in (False, True):
        if is_reloaded:
            await page.reload()
        await expect(row(page, "Pears")).to_have_accessible_name("Pears (an answer is being written)")
        await expect(page).to_have_title(NEW_CHAT)
    gate.open()
    await expect(row(page, "Pears")).to_have_accessible_name("Pears (new answer)")
    await expect(page).to_have_title(f"(1) {NEW_CHAT}")
    await row(page, "Pears").click()
    await expect(row(page, "Pears")).to_have_accessible_name("Pears")
    await expect(page).to_have_title("Pears · Hermes Site")


async def a_draft_is_marked(page: Page, provider: Provider) -> None:
    await page.get_by_label("Message", exact=True).fill("And")
    await new_chat(page)
    await expect(row(page, "Pears")).to_contain_text("Draft")
    await row(page, "Pears").click()
    await expect(row(page, "Pears")).not_to_contain_text("Draft")


async def archiving_is_undone(page: Page, provider: Provider) -> None:
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Archive").click()
    await expect(row(page, "Pears")).to_have_count(0)
    await expect(page.locator("#archived")).to_be_visible()
    await page.locator("#toast").get_by_role("button", name="Undo").click()
    await expect(row(page, "Pears")).to_be_visible()
    await expect(page.locator("#archived")).to_be_hidden()


async def a_chat_that_never_was_says_so(page: Page, provider: Provider) -> None:
    await page.goto(f"{page.url.partition('?')[0]}?chat=zzz")
    await expect(page.locator("#toast")).to_contain_text("This chat no longer exists.")
    await expect(page).not_to_have_url(re.compile("chat="))


async def test_chats_are_marked_and_archived(visitor: Visitor, provider: Provider) -> None:
    await walk(
        (
            an_answer_in_another_chat_runs_comes_and_is_read,
            a_draft_is_marked,
            archiving_is_undone,
            a_chat_that_never_was_says_so,
        ),
        await visitor.arrive(),
        provider,
    )
