"""The page over the end of its server: restarts, a kill in mid-answer, sends that fail."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.conftest import Visitor, await_checkpoint, restart, say, thread
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
    await expect(thread(page)).to_contain_text("interrupted", ignore_case=True)
    await expect(thread(page)).to_contain_text("Before")
    await expect(thread(page)).to_contain_text("Back again")
    await expect(thread(page).get_by_text("Are you there?")).to_have_count(1)


async def test_a_kill_in_mid_answer_keeps_what_was_said(visitor: Visitor, site: LiveSite, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["Kept ", "lost"], gates={1: gate}))
    page = await visitor.arrive()
    await say(page, "Hello")
    await expect(thread(page)).to_contain_text("Kept")
    # The checkpoint is a second old at the most: wait for it where it is stored.
    await asyncio.to_thread(await_checkpoint, site, "Kept ")
    await asyncio.to_thread(site.kill)
    gate.open()
    await restart(site)
    await expect(thread(page)).to_contain_text("Kept")
    await expect(thread(page)).to_contain_text("interrupted", ignore_case=True)
