"""Answers on the page: half written ones, and two that are equal."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Visitor, say, thread
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


async def test_half_written_blocks_wait(visitor: Visitor, provider: Provider) -> None:
    gates = [Gate() for _ in range(3)]
    words = ["Title\n", "-", " item\n\n| a | b |\n", "|---|---|\n| 1 | 2 |\n\n**bo"]
    provider.script(Answer(words=[*words, "ld** end"], gates={2: gates[0], 3: gates[1], 4: gates[2]}))
    page = await visitor.arrive()
    await say(page, "Go on")
    prose = thread(page).locator(".prose").last
    await expect(prose).to_have_text("Title")
    gates[0].open()
    await expect(prose.get_by_role("listitem")).to_have_text("item")
    await expect(prose).not_to_contain_text("|")
    gates[1].open()
    await expect(prose.get_by_role("table")).to_have_count(1)
    await expect(prose).to_contain_text("**bo")
    gates[2].open()
    await expect(prose.locator("strong")).to_have_text("bold")
    await expect(prose.get_by_role("heading")).to_have_count(0)


async def test_footnotes_of_equal_answers_lead_to_their_own(visitor: Visitor, provider: Provider) -> None:
    answer = "word[^1]\n\n[^1]: the note"
    provider.script(Answer(words=[answer]), Answer(words=[answer]))
    page = await visitor.arrive()
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
