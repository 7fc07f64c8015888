"""What tests of summaries do in a browser: a chat to be summarised, and a window that fills."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

SUMMARY = "What was **said** so far:\n\n- pears are sweet\n- apples are sour"


async def talk(page: Page, provider: Provider, turns: int = 2) -> None:
    """Have so many turns, each answered."""
    for number in range(turns):
        provider.script(Answer([f"answer {number}"]))
        await say(page, f"question {number}")
        await expect(thread(page)).to_contain_text(f"answer {number}")
        await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()


async def summarise(page: Page) -> None:
    """Ask for a summary by the menu of the chat."""
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Summarise earlier messages").click()


def dividers(page: Page) -> Locator:
    """The lines of what nobody has said."""
    return thread(page).locator(".divider")


async def summarised(page: Page, provider: Provider, text: str = SUMMARY) -> Locator:
    """Have the chat summarised; the opened line of the summary."""
    count = await dividers(page).count()
    provider.script(Answer([text]))
    await summarise(page)
    await expect(dividers(page)).to_have_count(count + 1)
    await dividers(page).last.locator("summary").click()
    await expect(dividers(page).last.locator(".prose")).to_be_visible()
    return dividers(page).last


async def set_window(site: LiveSite, tokens: int | None) -> None:
    """Say what the window of all profiles holds."""
    await asyncio.to_thread(site.database.run, "UPDATE sessions_app_agentprofile SET context = %s", tokens)


async def arrived(visitor: Visitor, provider: Provider, turns: int = 2) -> Page:
    """Open a chat that has so many turns."""
    page = await visitor.arrive()
    await talk(page, provider, turns)
    return page
