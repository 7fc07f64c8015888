"""The page over a restart of its server, in mid-answer; a kill: tests/many/test_lost_owner.py."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.conftest import Visitor, say, thread
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


async def test_the_page_mends_itself_after_a_restart(visitor: Visitor, site: LiveSite, provider: Provider) -> None:
    """An answer is cut short, a draft outlives a reload, and what is sent to nobody goes when the site is back."""
    gate = Gate()
    provider.script(Answer(words=["Before ", "after"], gates={1: gate}), Answer(words=["Back again"]))
    page = await visitor.arrive()
    box = page.get_by_label("Message", exact=True)
    await say(page, "Hello")
    await expect(thread(page)).to_contain_text("Before")
    await box.fill("Are you there?")
    await page.reload()
    await expect(box).to_have_value("Are you there?")
    await expect(thread(page)).to_contain_text("Before")
    await asyncio.to_thread(site.stop)
    await expect(page.locator("#connection")).to_be_visible()
    await box.press("Enter")
    await expect(thread(page)).to_contain_text("Will be sent when you are connected")
    gate.open()
    await asyncio.to_thread(site.restart)
    # It has tried before, so it would wait for some seconds: tests/page/socket.test.js.
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(thread(page)).to_contain_text("interrupted", ignore_case=True)
    await expect(thread(page)).to_contain_text("Before")
    await expect(thread(page)).to_contain_text("Back again")
    await expect(thread(page).get_by_text("Are you there?")).to_have_count(1)
