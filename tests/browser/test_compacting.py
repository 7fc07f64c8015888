"""A chat is summarised for the model, and a person sees it, changes it and takes it back; nothing they read goes."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.compacting import SUMMARY, arrived, dividers, set_window, summarise, summarised, talk
from tests.browser.conftest import Visitor, ready, say, thread
from tests.browser.stories import new_chat, walk
from tests.browser.test_keyboard import tab_to
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

WINDOW = 4_000
# More than a third of it.
LONG = "So many words that they take some room. " * 150
MAKING = "Summarising the earlier part of this chat"
SAID = "Earlier messages were summarised"


def announced(page: Page) -> Locator:
    """What screen readers were told last."""
    return page.locator("#announcer")


def button(page: Page, name: str) -> Locator:
    """A button in the conversation."""
    return thread(page).get_by_role("button", name=name, exact=True)


async def a_summary_is_a_line_that_opens_to_it(page: Page, other: Page, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer([SUMMARY], gates={0: gate}), Answer(["After it."]))
    await summarise(page)
    await gate.reached()
    await expect(announced(page)).to_contain_text(MAKING)
    for shown in (page, other):
        await expect(thread(shown)).to_contain_text(MAKING)
        await expect(button(shown, "Stop")).to_be_visible()
    await say(page, "And then?")
    await expect(thread(page)).to_contain_text("Waits for this summary")
    await other.reload()
    await expect(thread(other)).to_contain_text(MAKING)
    await expect(thread(other).locator(".message.assistant:not([aria-busy])")).to_have_count(2)
    gate.open()
    for shown in (page, other):
        await expect(thread(shown)).to_contain_text("After it.")
        await expect(dividers(shown)).to_have_count(1)
        await expect(dividers(shown)).to_contain_text(SAID)
        await expect(dividers(shown).locator(".prose")).to_be_hidden()
    line = dividers(page)
    await line.locator("summary").click()
    await expect(line.locator("li")).to_have_text(["pears are sweet", "apples are sour"])
    await expect(line).to_contain_text("Written by loopback")
    await expect(line.get_by_role("button", name="Good answer")).to_have_count(0)
    await line.get_by_role("button", name="Details").click()
    await expect(line.locator(".details")).to_contain_text("tokens")
    assert provider.bodies[-1].count(b"And then?") == 1


async def a_summary_from_elsewhere_moves_nothing(page: Page, other: Page, provider: Provider) -> None:
    provider.script(Answer(["\n\n".join(["A line."] * 80)]))
    await say(page, "Much")
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    text = thread(page).get_by_text("answer 0")
    await text.scroll_into_view_if_needed()
    await text.evaluate("(node) => getSelection().selectAllChildren(node)")
    place = "() => [document.querySelector('#scroller').scrollTop, String(getSelection())]"
    before = await page.evaluate(place)
    await summarised(other, provider)
    await expect(dividers(page)).to_have_count(2)
    assert await page.evaluate(place) == before
    assert before[1] == "answer 0"


async def an_edit_of_a_summary_that_was_replaced_is_kept(page: Page, other: Page, provider: Provider) -> None:
    await dividers(page).last.locator("summary").click()
    await button(page, "Edit").last.click()
    await page.get_by_label("Edit the summary").fill("Of this window.")
    await button(other, "Edit").last.click()
    await other.get_by_label("Edit the summary").fill("Of the other window.")
    await other.get_by_role("button", name="Save").click()
    await expect(dividers(page)).to_have_count(3)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toast")).to_contain_text("Another summary has taken the place of this one.")
    await expect(page.get_by_label("Edit the summary")).to_have_value("Of this window.")


@pytest.mark.thorough
async def test_two_windows_show_the_same_summaries(visitor: Visitor, provider: Provider) -> None:
    page = await arrived(visitor, provider)
    other = await visitor.chat(page.url.removeprefix(visitor.site.base_url))
    await walk(
        (
            a_summary_is_a_line_that_opens_to_it,
            a_summary_from_elsewhere_moves_nothing,
            an_edit_of_a_summary_that_was_replaced_is_kept,
        ),
        page,
        other,
        provider,
    )


async def one_that_is_stopped_leaves_the_chat(page: Page, site: LiveSite, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer([SUMMARY], gates={0: gate}))
    await summarise(page)
    await gate.reached()
    await page.get_by_label("Message", exact=True).fill("A draft")
    await button(page, "Stop").click()
    await expect(announced(page)).to_contain_text("The chat is as it was.")
    gate.open()
    await expect(thread(page)).not_to_contain_text(MAKING)
    await expect(dividers(page)).to_have_count(0)
    await expect(thread(page).locator(".note")).to_have_count(0)
    await expect(page.get_by_label("Message", exact=True)).to_have_value("A draft")
    await page.get_by_label("Message", exact=True).fill("")


async def one_that_fails_is_told_and_tried_again(page: Page, site: LiveSite, provider: Provider) -> None:
    provider.script(Answer(status=500), Answer([SUMMARY]))
    await summarise(page)
    note = thread(page).locator(".note")
    await expect(note).to_contain_text("could not be summarised")
    await expect(note).to_contain_text("The chat is as it was.")
    await expect(button(page, "Good answer")).to_have_count(2)
    await note.get_by_role("button", name="Try again").click()
    await expect(dividers(page)).to_have_count(1)
    await expect(note).to_have_count(0)


async def it_is_edited_by_the_keys(page: Page, site: LiveSite, provider: Provider) -> None:
    await tab_to(page, dividers(page).locator("summary"))
    await page.keyboard.press("Enter")
    await tab_to(page, button(page, "Edit").last)
    await page.keyboard.press("Enter")
    field = page.get_by_label("Edit the summary")
    await expect(field).to_be_focused()
    await expect(field).to_have_value(SUMMARY)
    await page.keyboard.press("Escape")
    await expect(button(page, "Edit").last).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Pears alone.")
    await page.keyboard.press("Enter")
    await expect(dividers(page)).to_have_count(2)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await expect(button(page, "Use the whole chat")).to_have_count(0)
    await tab_to(page, dividers(page).last.locator("summary"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(dividers(page).last).to_contain_text("Edited by you")
    await expect(button(page, "Use the whole chat")).to_have_count(1)
    provider.script(Answer(["Pears it is."]))
    await say(page, "Which?")
    await expect(thread(page)).to_contain_text("Pears it is.")
    assert b"Pears alone." in provider.bodies[-1]


async def the_whole_chat_is_used_again_by_the_keys(page: Page, site: LiveSite, provider: Provider) -> None:
    await tab_to(page, button(page, "Use the whole chat"))
    await page.keyboard.press("Enter")
    await expect(dividers(page)).to_have_count(3)
    await expect(dividers(page).last).to_be_focused()
    await expect(dividers(page).last).to_contain_text("The whole chat is used again")
    provider.script(Answer(["Once more."]))
    await tab_to(page, button(page, "Summarise again"))
    await page.keyboard.press("Enter")
    await expect(dividers(page)).to_have_count(4)
    await expect(button(page, "Summarise again")).to_have_count(0)


async def a_message_too_large_stays_where_it_was_written(page: Page, site: LiveSite, provider: Provider) -> None:
    text = "word " * 4_000
    await say(page, text)
    line = page.locator("#refusal")
    await expect(line).to_contain_text("tokens too long for the model, whose window holds 4,000. Shorten it.")
    box = page.get_by_label("Message", exact=True)
    await expect(box).to_have_value(text)
    await expect(thread(page).locator(".message")).to_have_count(2)
    provider.script(Answer(["Short enough."]))
    await box.fill("word")
    await expect(line).to_be_hidden()
    await box.press("Enter")
    await expect(thread(page)).to_contain_text("Short enough.")


async def a_window_that_fills_is_told_and_summarised(page: Page, site: LiveSite, provider: Provider) -> None:
    gauge = page.locator("#gauge")
    await expect(gauge).to_be_hidden()
    provider.script(Answer(["Yes."], counts={"prompt_tokens": 2_600, "completion_tokens": 1}))
    await say(page, "2,600?")
    await expect(thread(page)).to_contain_text("Yes.")
    await expect(gauge).to_contain_text("65\u00a0% of the model\u2019s window is used")
    provider.script(Answer([SUMMARY]))
    await gauge.get_by_role("button", name="Summarise now").click()
    await expect(dividers(page)).to_have_count(1)
    await expect(gauge).to_be_hidden()


async def a_chat_that_became_too_long_is_summarised_first(page: Page, site: LiveSite, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["So long."]), Answer([SUMMARY], gates={0: gate}), Answer(["At last."]))
    await say(page, LONG)
    await expect(thread(page)).to_contain_text("So long.")
    await say(page, LONG)
    await gate.reached()
    await expect(thread(page)).to_contain_text(MAKING)
    await page.reload()
    await ready(page)
    await expect(thread(page)).to_contain_text(MAKING)
    gate.open()
    await expect(thread(page)).to_contain_text("At last.")
    order = "(box) => [...box.children].slice(-3).map((node) => node.classList[1] ?? node.classList[0])"
    assert await thread(page).evaluate(order) == ["user", "divider", "assistant"]


@pytest.mark.thorough
async def test_a_chat_is_summarised_and_used_whole_again(visitor: Visitor, site: LiveSite, provider: Provider) -> None:
    await walk(
        (
            one_that_is_stopped_leaves_the_chat,
            one_that_fails_is_told_and_tried_again,
            it_is_edited_by_the_keys,
            the_whole_chat_is_used_again_by_the_keys,
        ),
        await arrived(visitor, provider),
        site,
        provider,
    )


@pytest.mark.thorough
async def test_a_small_window_refuses_fills_and_is_freed(visitor: Visitor, site: LiveSite, provider: Provider) -> None:
    page = await arrived(visitor, provider, 1)
    await set_window(site, WINDOW)
    try:
        in_one_chat = (
            a_message_too_large_stays_where_it_was_written,
            a_window_that_fills_is_told_and_summarised,
        )
        await walk(in_one_chat, page, site, provider)
        await new_chat(page)
        await talk(page, provider, 1)
        await walk((a_chat_that_became_too_long_is_summarised_first,), page, site, provider)
    finally:
        await set_window(site, None)
