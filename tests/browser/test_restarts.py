"""The page over the end of its server: restarts, a kill in mid-answer, sends that fail."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.conftest import Visitor, await_checkpoint, restart, say, thread
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


async def test_the_page_mends_itself_after_a_restart(visitor: Visitor, site: LiveSite, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["Before ", "after"], gates={1: gate}), Answer(words=["Back again"]))
    page = await visitor.arrive()
    await say(page, "Hello")
    await expect(thread(page)).to_contain_text("Before")
    await restart(site)
    gate.open()
    await expect(thread(page)).to_contain_text("interrupted", ignore_case=True)
    await expect(thread(page)).to_contain_text("Before")
    await say(page, "Are you there?")
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


async def test_a_draft_survives_a_reload_and_a_failed_send(
    visitor: Visitor, site: LiveSite, provider: Provider
) -> None:
    provider.script(Answer(words=["First"]), Answer(words=["Second"]))
    page = await visitor.arrive()
    await say(page, "Hello")
    await expect(thread(page)).to_contain_text("First")
    await page.get_by_label("Message", exact=True).fill("A draft")
    await page.reload()
    await expect(page.get_by_label("Message", exact=True)).to_have_value("A draft")
    await asyncio.to_thread(site.stop)
    await page.get_by_label("Message", exact=True).press("Enter")
    await expect(thread(page)).to_contain_text("Will be sent when you are connected")
    await asyncio.to_thread(site.restart)
    await expect(thread(page)).to_contain_text("Second")
    await expect(thread(page).get_by_text("A draft")).to_have_count(1)
