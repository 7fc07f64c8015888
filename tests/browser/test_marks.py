"""The marks of chats: an answer runs, a new one has come, a draft; and archiving is undone."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, ready, say, thread
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

NEW_CHAT = "New chat · Hermes Site"


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("navigation", name="Chats").get_by_role("link", name=re.compile(f"^{title}"))


async def test_an_answer_in_another_chat_runs_comes_and_is_read(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["One ", "two"], gates={1: gate}))
    page = await visitor.arrive()
    await say(page, "Pears")
    await expect(thread(page)).to_contain_text("One")
    await expect(page).to_have_title("● Pears · Hermes Site")
    await page.get_by_role("link", name="New chat").click()
    for _ in range(2):
        await expect(row(page, "Pears")).to_have_accessible_name("Pears (an answer is being written)")
        await expect(page).to_have_title(NEW_CHAT)
        await page.reload()
        await ready(page)
    gate.open()
    for _ in range(2):
        await expect(row(page, "Pears")).to_have_accessible_name("Pears (new answer)")
        await expect(page).to_have_title(f"(1) {NEW_CHAT}")
        await page.reload()
        await ready(page)
    await row(page, "Pears").click()
    await expect(row(page, "Pears")).to_have_accessible_name("Pears")
    await expect(page).to_have_title("Pears · Hermes Site")


async def test_a_draft_is_marked(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(["One."]))
    page = await visitor.arrive()
    await say(page, "Pears")
    await expect(thread(page)).to_contain_text("One.")
    await page.get_by_label("Message", exact=True).fill("And")
    await page.get_by_role("link", name="New chat").click()
    await expect(row(page, "Pears")).to_contain_text("Draft")
    await row(page, "Pears").click()
    await expect(row(page, "Pears")).not_to_contain_text("Draft")


async def test_archiving_is_undone(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(["One."]))
    page = await visitor.arrive()
    await say(page, "Pears")
    await expect(thread(page)).to_contain_text("One.")
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Archive").click()
    await expect(row(page, "Pears")).to_have_count(0)
    await expect(page.locator("#archived")).to_be_visible()
    await page.locator("#toast").get_by_role("button", name="Undo").click()
    await expect(row(page, "Pears")).to_be_visible()
    await expect(page.locator("#archived")).to_be_hidden()


async def test_a_chat_that_never_was_says_so(visitor: Visitor) -> None:
    page = await visitor.arrive()
    await page.goto(f"{visitor.site.base_url}/?chat=zzz")
    await expect(page.locator("#toast")).to_contain_text("This chat no longer exists.")
    await expect(page).to_have_url(f"{visitor.site.base_url}/")
