"""What is written and not sent: each tab keeps its own, and what a tab that is gone has left is taken over.

Without locks, at a site that has no HTTPS: tests/page/storage.test.js.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, ready, say, thread
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


def box(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


async def two_drafts(visitor: Visitor) -> tuple[Page, Page]:
    """Two tabs on the page of a new chat, each with its own text."""
    first = await visitor.arrive()
    await box(first).fill("First draft")
    second = await visitor.chat()
    await expect(box(second), "while the other lives").to_have_value("")
    await box(second).fill("Second draft")
    return first, second


async def reload(*pages: Page) -> None:
    for page in pages:
        await page.reload()
        await ready(page)


@pytest.mark.thorough
async def test_new_drafts_stay_with_their_tabs_and_are_taken_over(visitor: Visitor, provider: Provider) -> None:
    first, second = await two_drafts(visitor)
    third = await copied(first)
    await reload(first, second, third)
    await expect(box(first)).to_have_value("First draft")
    await expect(box(second)).to_have_value("Second draft")
    await expect(box(third)).to_have_value("Third draft")
    await box(third).fill("")
    await third.close()
    await first.close()
    await second.close()
    page = await visitor.chat()
    await expect(box(page), "that of the tab that was closed last").to_have_value("Second draft")
    other = await visitor.chat()
    await expect(box(other)).to_have_value("First draft")
    await other.close()
    await what_is_sent_is_gone(visitor, page)


async def what_is_sent_is_gone(visitor: Visitor, page: Page) -> None:
    await box(page).press("Enter")
    await expect(thread(page)).to_contain_text("Second draft")
    # Until its first message has begun, the new chat itself is called "New chat" in the list.
    await expect(page.get_by_role("link", name="Second draft")).to_have_count(1)
    await page.get_by_role("link", name="New chat").click()
    await expect(box(page)).to_have_value("First draft")
    await box(page).fill("")
    await page.close()
    last = await visitor.chat()
    await expect(box(last)).to_have_value("")


async def copied(first: Page) -> Page:
    """A copy of a tab, with a text of its own."""
    # A window that a page opens gets a copy of its sessionStorage, as a duplicated tab does.
    async with first.expect_popup() as opened:
        await first.evaluate("void open(location.href)")
    copy = await opened.value
    await ready(copy)
    await box(copy).fill("Third draft")
    return copy


async def test_two_tabs_show_one_stream_and_keep_two_drafts(visitor: Visitor, provider: Provider) -> None:
    first = await visitor.arrive()
    second = await one_stream_is_shown_in_two(first, visitor, provider)
    await box(first).fill("First draft")
    await box(second).fill("Second draft")
    await reload(first, second)
    await expect(box(first)).to_have_value("First draft")
    await expect(box(second)).to_have_value("Second draft")
    await logging_out_leaves_no_draft(first, second, visitor.name)


async def one_stream_is_shown_in_two(first: Page, visitor: Visitor, provider: Provider) -> Page:
    gate = Gate()
    provider.script(Answer(words=["Both ", "see ", "this"], gates={2: gate}), Answer(words=["From the second"]))
    await say(first, "Hello")
    await expect(thread(first)).to_contain_text("Both see")
    second = await visitor.chat(first.url.removeprefix(visitor.site.base_url))
    await expect(thread(second)).to_contain_text("Both see")
    gate.open()
    for page in (first, second):
        await expect(thread(page)).to_contain_text("Both see this")
        await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await say(second, "And back")
    await expect(thread(first)).to_contain_text("And back")
    await expect(thread(first)).to_contain_text("From the second")
    return second


async def logging_out_leaves_no_draft(first: Page, second: Page, name: str) -> None:
    await first.get_by_role("button", name=name).click()
    await first.get_by_role("button", name="Log out").click()
    for page in (first, second):
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert "draft" not in await first.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
