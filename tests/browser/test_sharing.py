"""A chat is shared from the palette: the link is copied, opened by somebody without a login, and revoked.

Thorough: the suite asks it over the socket (tests/api/test_shares.py).
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.test_files import LETTER, put
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

TEXT = "**Apples** cost $x^2$.\n\n```python\nprint('apples')\n```"


async def make_link(page: Page, dialog: Locator) -> str:
    """Make a link by the keyboard, copy it, and return it."""
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("share")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_text("There are none.")).to_be_visible()
    await dialog.get_by_label("It ends").select_option("In a week")
    await dialog.get_by_role("button", name="Make a link").press("Enter")
    await expect(dialog.get_by_role("status")).to_contain_text("The link is made.")
    await expect(dialog.get_by_role("button", name="Copy the link")).to_be_focused()
    await page.context.grant_permissions(["clipboard-write"])
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("status")).to_have_text("Copied.")
    address = await dialog.get_by_role("textbox", name="The link made").input_value()
    await page.keyboard.press("Escape")
    return address


async def see(seen: Page, address: str) -> None:
    """Look at what the link shows."""
    told: list[str] = []
    seen.on("console", lambda message: told.append(message.text))
    seen.on("request", lambda request: told.append(request.url) if ".js" in request.url else None)
    await seen.goto(address)
    await expect(seen.get_by_role("article")).to_have_count(2)
    await expect(seen.locator("strong")).to_have_text("Apples")
    await expect(seen.locator("math")).to_be_visible()
    await expect(seen.get_by_text("Used calculator")).to_be_visible()
    for hidden in ("Pears.", "6 * 7"):
        await expect(seen.get_by_text(hidden)).to_have_count(0)
    async with seen.expect_download() as downloading:
        await seen.get_by_role("link", name=re.compile("letter.txt")).click()
    assert (await (await downloading.value).path()).read_bytes() == LETTER
    assert await seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert told == []


@pytest.mark.thorough
async def test_a_chat_is_shared_and_revoked(visitor: Visitor, browser: Browser, provider: Provider) -> None:
    calculate = Call("calculator", '{"expression": "6 * 7"}')
    provider.script(Answer(calls=[calculate]), Answer([TEXT]), Answer(["Pears."]))
    page = await visitor.arrive()
    await put(page, "drop", ("letter.txt", "text/plain", LETTER))
    await say(page, "What do apples cost?")
    await expect(thread(page).locator("strong")).to_have_text("Apples")
    dialog = page.get_by_role("dialog", name="Share")
    address = await make_link(page, dialog)
    await say(page, "And pears?")
    await expect(thread(page)).to_contain_text("Pears.")
    stranger = await browser.new_context(viewport={"width": 390, "height": 844})
    try:
        seen = await stranger.new_page()
        await see(seen, address)
        await page.get_by_role("button", name="Options of this chat").click()
        await page.get_by_role("menuitem", name="Share").click()
        await dialog.get_by_role("button", name="Revoke the link").click()
        await expect(dialog.get_by_role("status")).to_contain_text("Revoked.")
        await expect(dialog.get_by_text("There are none.")).to_be_visible()
        await seen.reload()
        await expect(seen.get_by_role("heading", name="Nothing is shared here")).to_be_visible()
        await expect(seen.get_by_role("link", name="Log in")).to_be_visible()
    finally:
        await stranger.close()
