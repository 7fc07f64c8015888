"""Shortcuts, and what is typed with the focus nowhere."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Visitor
from tests.browser.searching import palette


async def nowhere(page: Page) -> None:
    """Take the focus from everything."""
    await page.evaluate("() => document.activeElement.blur()")


async def test_what_is_typed_with_the_focus_nowhere_goes_to_the_box(visitor: Visitor) -> None:
    page = await visitor.arrive()
    box = page.get_by_label("Message", exact=True)
    await nowhere(page)
    await page.keyboard.type("Hello you")
    await expect(box).to_have_value("Hello you")
    await page.locator("#scroller").focus()
    await page.keyboard.type(", there")
    await expect(box).to_have_value("Hello you, there")
    await box.fill("")
    await nowhere(page)
    await page.keyboard.press("/")
    await expect(box, "a slash goes to the box").to_be_focused()
    await expect(box, "a slash is no text").to_have_value("")
    await page.keyboard.type("/?[")
    await expect(box).to_have_value("/?[")


async def test_the_list_of_shortcuts_opens_and_closes(visitor: Visitor) -> None:
    page = await visitor.arrive()
    dialog = page.get_by_role("dialog", name="Shortcuts")
    await page.keyboard.press("Control+/")
    await expect(dialog).to_contain_text("Search and commands")
    await page.keyboard.press("Control+k")
    await expect(palette(page)).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await nowhere(page)
    await page.keyboard.press("?")
    await expect(dialog).to_be_visible()


async def test_the_list_of_chats_folds_away_and_stays_so(visitor: Visitor) -> None:
    page = await visitor.arrive()
    await page.keyboard.press("Control+b")
    sidebar = page.locator("#sidebar")
    await expect(sidebar).to_be_hidden()
    await page.reload()
    await expect(sidebar).to_be_hidden()
    await page.get_by_role("button", name="Chats and account").click()
    await expect(sidebar).to_be_visible()
    await page.get_by_role("button", name="Hide the list of chats").click()
    await nowhere(page)
    await page.keyboard.press("[")
    await expect(sidebar).to_be_visible()


@pytest.mark.thorough
async def test_what_is_typed_before_the_scripts_run_is_kept(visitor: Visitor) -> None:
    page = await visitor.arrive()
    box = page.get_by_label("Message", exact=True)
    await box.fill("A draft.")
    asked: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/main*.js", asked.put)
    await page.reload(wait_until="commit")
    script = await asked.get()
    await box.fill("Typed at once.")
    await script.continue_()
    await expect(box).to_have_value("A draft.\n\nTyped at once.")
