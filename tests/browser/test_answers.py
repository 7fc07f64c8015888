"""Answers on the page: two that are equal, and one with a tool.

The suite asks of a step with a tool, after a reload too, in test_reading.py; of half written ones growing.test.js.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.stories import new_chat, walk
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

pytestmark = pytest.mark.thorough


async def footnotes_of_equal_answers_lead_to_their_own(page: Page, provider: Provider) -> None:
    answer = "word[^1]\n\n[^1]: the note"
    provider.script(Answer(words=[answer]), Answer(words=[answer]))
    for count in (1, 2):
        await say(page, "Go on")
        await expect(thread(page).locator(".footnote")).to_have_count(count)
        await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await page.reload()
    await expect(thread(page).locator(".footnote")).to_have_count(2)
    await thread(page).locator("sup a").last.click()
    target, last = thread(page).locator(".footnote:target"), thread(page).locator(".footnote").last
    await expect(target).to_have_count(1)
    assert await target.get_attribute("id") == await last.get_attribute("id")


async def a_turn_with_a_tool_looks_the_same_after_a_reload(page: Page, provider: Provider) -> None:
    gate = Gate()
    asks = Answer(words=["Let me **see**. "], reasoning=["Hm."], calls=[Call("calculator", '{"expression": "6*7"}')])
    provider.script(asks, Answer(words=["It is ", "forty-two."], gates={1: gate}))
    await say(page, "How much?")
    folds = thread(page).locator("details.step")
    for is_reloaded in (False, True):
        if is_reloaded:
            await page.reload()
        await expect(thread(page)).to_contain_text("It is")
        await expect(folds.filter(has_text="6*7")).to_have_count(1)
        await expect(folds.filter(has_text="Hm.")).to_have_count(1)
        await expect(thread(page).locator("strong")).to_have_count(1)
    gate.open()
    lines = thread(page).get_by_role("button", name="Details")
    await expect(lines).to_have_count(1)
    await expect(thread(page).locator(".prose")).to_have_text(["Let me see.", "It is forty-two."])
    await expect(folds).to_have_count(2)
    shown = await thread(page).inner_text()
    await page.reload()
    await expect(lines).to_have_count(1)
    await expect(thread(page)).to_have_text(shown, use_inner_text=True)


async def test_answers_are_shown_as_they_are_meant(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    for step in (
        footnotes_of_equal_answers_lead_to_their_own,
        a_turn_with_a_tool_looks_the_same_after_a_reload,
    ):
        await new_chat(page)
        await walk((step,), page, provider)
