"""What is written and not sent: each tab keeps its own, and what a tab that is gone has left is taken over."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, ready, say, thread
from tests.live import PASSWORD
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

# A browser at a site that has no HTTPS.
WITHOUT_LOCKS = "delete Navigator.prototype.locks;"


def box(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


async def two_drafts(visitor: Visitor) -> tuple[Page, Page]:
    """Two tabs on the page of a new chat, each with its own text."""
    first = await visitor.arrive()
    await box(first).fill("First draft")
    second = await visitor.chat()
    await box(second).fill("Second draft")
    return first, second


async def reload(*pages: Page) -> None:
    for page in pages:
        await page.reload()
        await ready(page)


async def taken_over(visitor: Visitor) -> Page:
    """A new tab, which has the draft of the one that was closed last, also after a reload."""
    page = await visitor.chat()
    for _ in range(2):
        await expect(box(page)).to_have_value("Second draft")
        await reload(page)
    return page


@pytest.mark.parametrize("has_locks", [True, False], ids=["locks", "no locks"])
async def test_new_drafts_stay_with_their_tabs_and_are_taken_over(
    visitor: Visitor, provider: Provider, has_locks: bool
) -> None:
    """Without locks, a tab cannot tell which of the others live."""
    if not has_locks:
        visitor.prepare(lambda page: page.add_init_script(WITHOUT_LOCKS))
    first, second = await two_drafts(visitor)
    for _ in range(2):
        await reload(first, second)
        await expect(box(first)).to_have_value("First draft")
        await expect(box(second)).to_have_value("Second draft")
    if has_locks:
        await new_tab_is_empty(visitor)
    await first.close()
    await second.close()
    page = await taken_over(visitor)
    if has_locks:
        other = await visitor.chat()
        await expect(box(other)).to_have_value("First draft")
        await other.close()
        await what_is_sent_is_gone(visitor, page)


async def new_tab_is_empty(visitor: Visitor) -> None:
    """While the others live."""
    third = await visitor.chat()
    await expect(box(third)).to_have_value("")
    await third.close()


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


async def test_two_tabs_keep_two_drafts_of_one_chat(visitor: Visitor, provider: Provider) -> None:
    first = await visitor.arrive()
    await say(first, "Hello")
    await expect(thread(first).get_by_role("button", name="Details")).to_have_count(1)
    second = await visitor.chat(first.url.removeprefix(visitor.site.base_url))
    await box(first).fill("First draft")
    await box(second).fill("Second draft")
    await reload(first, second)
    await expect(box(first)).to_have_value("First draft")
    await expect(box(second)).to_have_value("Second draft")


async def test_a_duplicated_tab_writes_its_own_draft(visitor: Visitor) -> None:
    first = await visitor.arrive()
    await box(first).fill("First draft")
    # A window that a page opens gets a copy of its sessionStorage, as a duplicated tab does.
    async with first.expect_popup() as opened:
        await first.evaluate("void open(location.href)")
    second = await opened.value
    await ready(second)
    await box(second).fill("Second draft")
    await reload(first, second)
    await expect(box(first)).to_have_value("First draft")
    await expect(box(second)).to_have_value("Second draft")


async def test_logging_out_leaves_no_draft(visitor: Visitor) -> None:
    first, second = await two_drafts(visitor)
    await first.get_by_role("button", name=visitor.name).click()
    await first.get_by_role("button", name="Log out").click()
    for page in (first, second):
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert "draft" not in await first.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    await first.get_by_label("Username").fill(visitor.name)
    await first.get_by_label("Password").fill(PASSWORD)
    await first.get_by_role("button", name="Log in", exact=True).click()
    await ready(first)
    await expect(box(first)).to_have_value("")


async def test_a_message_on_its_way_stays_with_its_tab(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["Once"]))
    first = await visitor.arrive()
    await visitor.context.set_offline(True)
    await expect(first.locator("#connection")).to_be_visible()
    await say(first, "From the first")
    await expect(thread(first)).to_contain_text("Will be sent when you are connected")
    await visitor.context.set_offline(False)
    await expect(thread(first)).to_contain_text("Once")
    second = await visitor.chat()
    await expect(box(second)).to_have_value("")
    await expect(second.get_by_role("navigation", name="Chats").get_by_role("link")).to_have_count(1)


async def test_a_message_of_a_closed_tab_is_sent_by_the_next(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["One"]), Answer(words=["Two"]))
    page = await visitor.arrive()
    await say(page, "Hello")
    await expect(thread(page)).to_contain_text("One")
    address = page.url.removeprefix(visitor.site.base_url)
    await visitor.context.set_offline(True)
    await expect(page.locator("#connection")).to_be_visible()
    await say(page, "And then?")
    await expect(thread(page)).to_contain_text("Will be sent when you are connected")
    await page.close()
    await visitor.context.set_offline(False)
    other = await visitor.chat(address)
    await expect(thread(other)).to_contain_text("Two")
    await expect(thread(other).get_by_text("And then?")).to_have_count(1)
