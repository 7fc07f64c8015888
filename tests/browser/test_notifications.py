"""Notifications of long answers, in a tab that nobody sees.

The browser of the tests has no window that could be hidden, shows no notification, and calls them forbidden whatever
was granted. So the page is told that nobody sees it, and what it asks the browser to show is caught. The rest is real:
the setting, the permission that it asks for, the turn, and the way back to the chat. Whom it tells and whom it
does not, the suite asks of the page's parts: tests/page/notifications.test.js.
"""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.stories import walk
from tests.browser.test_settings import choose, settings
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

pytestmark = pytest.mark.thorough

CATCH = """
const { requestPermission } = Notification;
window.Notification = class {
  static permission = "granted";
  static requestPermission = () => requestPermission.call(Notification);
  constructor(title, { body }) {
    window.latest = this;
    caught(`${title}: ${body}`);
  }
  close() {}
};
"""
BE_SEEN = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LONG = 11_000  # milliseconds, of the page's clock


class Reader:
    """A person whose page may notify, and what it notified of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.caught: asyncio.Queue[str] = asyncio.Queue()

    @classmethod
    async def arrive(cls, visitor: Visitor) -> Reader:
        """Have a person arrive."""
        await visitor.context.grant_permissions(["notifications"])
        visitor.prepare(lambda page: page.add_init_script(CATCH))
        reader = cls(await visitor.arrive())
        await reader.page.expose_function("caught", reader.caught.put_nowait)
        await choose(await settings(reader.page), "Notifications", "On")
        await reader.page.keyboard.press("Escape")
        await reader.page.clock.install()
        return reader

    async def look(self, state: str) -> None:
        """Have the page believe that it is hidden, or visible."""
        await self.page.evaluate(BE_SEEN, state)

    async def wait_long(self, provider: Provider, text: str) -> Gate:
        """Say something, and be where the answer has been waited for long enough."""
        gate = Gate()
        provider.script(Answer(["It", " is done."], gates={1: gate}))
        await say(self.page, text)
        await expect(thread(self.page).locator("[aria-busy=true]")).to_contain_text("It")
        await gate.reached()
        await self.page.clock.fast_forward(LONG)
        return gate


async def a_long_answer_is_told_to_who_looks_elsewhere(reader: Reader, provider: Provider) -> None:
    gate = await reader.wait_long(provider, "Pears")
    chat = reader.page.url
    await reader.page.keyboard.press("Control+Shift+O")
    await expect(reader.page).not_to_have_url(chat)
    await reader.look("hidden")
    gate.open()
    assert await asyncio.wait_for(reader.caught.get(), PATIENCE) == "Pears: The answer is here."
    await reader.page.evaluate("latest.onclick()")
    await expect(reader.page).to_have_url(chat)
    await reader.look("visible")
    await expect(thread(reader.page)).to_contain_text("It is done.")
    assert reader.caught.empty()


async def test_a_long_answer_is_told_where_nobody_looks(visitor: Visitor, provider: Provider) -> None:
    await walk(
        (a_long_answer_is_told_to_who_looks_elsewhere,),
        await Reader.arrive(visitor),
        provider,
    )
