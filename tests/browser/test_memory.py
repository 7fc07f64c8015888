"""Memory on the page: memories in the settings, notes in the thread, and a person's word on what a model proposes."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.remembering import remember
from tests.browser.test_settings import settings
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.remembered import told_by

PROPOSE = Call("remember", '{"text": "Is called Ada."}')


async def memory(page: Page) -> Locator:
    dialog = await settings(page)
    await dialog.get_by_role("button", name="Memory").click()
    region = dialog.get_by_role("region", name="Memory")
    await expect(region.get_by_role("radio", name="On")).to_be_enabled()
    return region


@pytest.mark.thorough
async def test_memories_are_added_edited_deleted_and_had_back(visitor: Visitor) -> None:
    page = await visitor.arrive()
    region = await memory(page)
    await expect(region).to_contain_text("Nothing is remembered yet.")
    field = region.get_by_label("Add a memory")
    await field.fill("x" * 501)
    await field.press("Enter")
    await expect(region).to_contain_text("1 character too long")
    for text in ("Is called Ada.", "Eats no meat."):
        await field.fill(text)
        await field.press("Enter")
        await expect(region.get_by_text(text)).to_be_visible()
    await region.get_by_role("button", name="Edit “Eats no meat.”").press("Enter")
    await page.keyboard.press("Escape")
    await expect(region.get_by_role("button", name="Edit “Eats no meat.”")).to_be_focused()
    await page.keyboard.press("Enter")
    await region.get_by_label("Edit the memory").fill("Eats fish.")
    await page.keyboard.press("Enter")
    await expect(region.get_by_role("button", name="Edit “Eats fish.”")).to_be_focused()
    await region.get_by_role("button", name="Delete “Is called Ada.”").press("Enter")
    await expect(region.get_by_role("button", name="Undo")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(region.get_by_role("button", name="Delete “Is called Ada.”")).to_be_visible()
    other = await visitor.chat()
    there = await memory(other)
    await expect(there.get_by_role("listitem")).to_have_text(["Eats fish.", "Is called Ada."])
    await field.fill("Sings.")
    await field.press("Enter")
    await expect(there.get_by_text("Sings.")).to_be_visible()
    await there.get_by_label("Off").check()
    await expect(region.get_by_role("radio", name="Off")).to_be_checked()


@pytest.mark.thorough
async def test_a_chat_shows_what_it_is_told_as_a_quiet_line(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(["One."]), Answer(["Two."]), Answer(["Three."]), Answer(["Four."]))
    page = await visitor.arrive()
    await say(page, "Hello")
    await expect(thread(page)).to_contain_text("One.")
    await asyncio.to_thread(remember, visitor.site, visitor.name, "Eats no meat.")
    await say(page, "And now?")
    await expect(thread(page)).to_contain_text("Two.")
    line = thread(page).locator(".divider")
    await expect(line).to_have_count(1)
    await expect(line.get_by_text("Eats no meat.")).to_be_hidden()
    await line.get_by_text("Memory updated").click()
    await expect(line.get_by_text("Eats no meat.")).to_be_visible()
    # An edit of the message has a note of its own, in the place of that one.
    await thread(page).get_by_role("button", name="Edit").last.click()
    await page.get_by_label("Edit your message").fill("And otherwise?")
    await page.get_by_label("Edit your message").press("Enter")
    await expect(thread(page)).to_contain_text("Three.")
    await expect(line).to_have_count(1)
    await expect(thread(page).get_by_text("2/2")).to_be_visible()
    await page.get_by_role("button", name="Options of this chat").click()
    switch = page.get_by_role("menuitemcheckbox", name="Use memory in this chat")
    await expect(switch).to_be_checked()
    await switch.click()
    await say(page, "Once more")
    await expect(thread(page)).to_contain_text("Four.")
    await expect(line).to_have_count(2)
    assert told_by(provider.bodies[-2]) == ["Eats no meat."]
    assert told_by(provider.bodies[-1]) == []


@pytest.mark.thorough
async def test_a_proposal_waits_for_a_word_in_every_tab_once(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    card = page.get_by_role("group", name="A proposal to remember")
    provider.script(Answer(calls=[Call("remember", '{"text": "Sings."}')]), Answer(["La la."]))
    await say(page, "I sing.")
    await card.get_by_role("button", name="No").click()
    await expect(card).to_be_hidden()
    provider.script(Answer(calls=[PROPOSE]), Answer(["Hello Ada."]))
    await say(page, "I am Ada.")
    await expect(card).to_contain_text("Remember this? “Is called Ada.”")
    other = await visitor.chat(page.url.removeprefix(visitor.site.base_url))
    there = other.get_by_role("group", name="A proposal to remember")
    await expect(there).to_be_visible()
    await card.get_by_role("button", name="Save").press("Enter")
    await expect(card).to_be_hidden()
    await expect(there).to_be_hidden()
    await expect(thread(other)).to_contain_text("Remembered: “Is called Ada.”")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    region = await memory(page)
    await expect(region.get_by_role("listitem")).to_have_text(["Is called Ada."])
