"""The palette: chats, what was said, and commands; from a hit to its place, near or far."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.searching import field, options, palette, search
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

FOUND = """() => [...(CSS.highlights.get("found") ?? [])].map((range) => range.toString())"""


async def found(page: Page) -> list[str]:
    """Return the words that are marked in the conversation."""
    words: list[str] = await page.evaluate(FOUND)
    return words


async def test_it_opens_by_keys_and_button_chooses_and_closes(visitor: Visitor) -> None:
    page = await visitor.arrive()
    await page.get_by_role("button", name="Search").click()
    first, last = (options(page, "Do").first, options(page, "Do").last)
    await expect(first).to_have_attribute("aria-selected", "true")
    await field(page).press("ArrowUp")
    await expect(last).to_have_attribute("aria-selected", "true")
    await expect(field(page)).to_have_attribute("aria-activedescendant", await last.get_attribute("id") or "")
    await expect(field(page)).to_be_focused()
    await field(page).press("ArrowDown")
    await expect(first).to_have_attribute("aria-selected", "true")
    await field(page).press("Escape")
    await expect(palette(page)).to_be_hidden()
    await expect(page.get_by_role("button", name="Search")).to_be_focused()
    await search(page, "words")
    await page.keyboard.press("Control+k")
    await expect(palette(page), "the same shortcut closes it").to_be_hidden()
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_have_value("")
    await field(page).fill("xyzzy")
    await expect(palette(page).get_by_role("status")).to_have_text(
        "Nothing found for “xyzzy”. Try fewer or other words."
    )


@pytest.mark.thorough
async def test_a_palette_that_could_not_be_loaded_says_so_and_comes_later(visitor: Visitor) -> None:
    visitor.prepare(lambda page: page.route("**/js/palette*.js", lambda route: route.abort()))
    page = await visitor.arrive()
    await page.keyboard.press("Control+k")
    await expect(page.locator("#toast")).to_contain_text("This could not be loaded.")
    await expect(palette(page)).to_be_hidden()
    await page.unroute("**/js/palette*.js")
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused()


# The site's policy lets no script read what was copied.
OBSERVE_COPIES = """() => {
  window.copied = [];
  const write = navigator.clipboard.writeText.bind(navigator.clipboard);
  navigator.clipboard.writeText = (text) => { copied.push(text); return write(text); };
}"""


async def do(page: Page, command: str) -> None:
    """Run a command of the open chat by its name."""
    await search(page, command)
    await options(page, "This chat").get_by_text(command, exact=True).click()


@pytest.mark.thorough
async def test_the_last_answer_is_copied_by_a_command(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate(OBSERVE_COPIES)
    await page.keyboard.press("Control+k")
    await expect(options(page, "This chat")).to_have_count(0)
    await field(page).press("Escape")
    provider.script(Answer(["**One** apple."]))
    await say(page, "About apples")
    await expect(page.get_by_role("button", name="Details")).to_be_visible()
    await do(page, "Copy the last answer")
    await expect(page.locator("#announcer")).to_have_text("Copied")
    assert await page.evaluate("copied") == ["**One** apple."]


@pytest.mark.thorough
async def test_the_open_chat_is_handled_by_commands(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    await say(page, "About apples")
    await expect(page.get_by_role("button", name="Details")).to_be_visible()
    await do(page, "Rename")
    await page.get_by_label("New title").fill("Fruit")
    await page.keyboard.press("Enter")
    chats = page.get_by_role("navigation", name="Chats")
    await expect(page.get_by_role("heading", name="Fruit", level=1)).to_be_visible()
    await do(page, "Pin")
    await expect(chats.get_by_role("heading", name="Pinned")).to_be_visible()
    await do(page, "Unpin")
    await expect(chats.get_by_role("heading", name="Pinned")).to_have_count(0)
    await do(page, "Archive")
    await expect(page.locator("#archived")).to_be_visible()
    await do(page, "Unarchive")
    await expect(page.locator("#archived")).to_be_hidden()
    await do(page, "Usage")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    first = page.url
    await do(page, "New chat from here")
    await expect(page).not_to_have_url(first)
    await expect(chats.get_by_text("Fruit")).to_have_count(2)
    await do(page, "Delete …")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(visitor.site.base_url + "/")
    await expect(chats.get_by_text("Fruit")).to_have_count(1)


async def test_what_was_said_is_found_and_marked(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(["Nothing"]), Answer(["The **Call** log, and another call."]))
    page = await visitor.arrive()
    await say(page, "About pears")
    await expect(thread(page)).to_contain_text("Nothing")
    await page.keyboard.press("Control+Shift+O")
    await expect(page).to_have_url(visitor.site.base_url + "/")
    await say(page, "About apples")
    await expect(thread(page)).to_contain_text("another call")
    await page.get_by_role("link", name="About pears").click()
    await search(page, "call")
    hit = options(page, "In messages")
    await expect(hit.locator("mark")).to_have_text(["Call", "call"])
    await field(page).press("Enter")
    await expect(thread(page)).to_contain_text("another call")
    await expect(thread(page).locator(".found")).to_contain_text("another call")
    assert await found(page) == ["Call", "call"]
    await page.get_by_role("link", name="About pears").click()
    await expect(thread(page)).to_contain_text("Nothing")
    assert await found(page) == []
