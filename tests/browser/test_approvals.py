"""Calls of tools that a person is asked for: seen in words and in full, decided once, and the same after a reload."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from tests.browser.approving import arrive_with_tools, calls, question
from tests.browser.conftest import Visitor, ready, say, thread
from tests.providers.fixtures import Provider
from tests.providers.script import Answer


async def asked(visitor: Visitor, provider: Provider, *tools: tuple[str, dict[str, object]]) -> Page:
    """Open a chat whose answer wants to use these tools, each with its arguments."""
    page = await arrive_with_tools(visitor)
    made = [calls(visitor.name, tool, f"call-{number}", **given) for number, (tool, given) in enumerate(tools)]
    provider.script(Answer(["Let me see."], calls=made), Answer(["That is all."]))
    await say(page, "Do it")
    await expect(question(page)).to_be_visible()
    return page


async def test_a_call_is_seen_in_full_and_approved(visitor: Visitor, provider: Provider) -> None:
    page = await asked(visitor, provider, ("weather", {"city": "<b>Oslo</b>"}))
    box = page.get_by_label("Message", exact=True)
    await expect(box).to_be_focused()
    await expect(page.locator("#announcer")).to_contain_text("Your decision is needed")
    await expect(page).to_have_title(re.compile(r"^\? "))
    await expect(page.get_by_role("navigation", name="Chats")).to_contain_text("Asks you")
    await expect(page.get_by_text("what waits is refused")).to_be_visible()
    for _ in range(2):
        await expect(question(page)).to_contain_text(f"Wants to use {visitor.name} weather")
        await expect(question(page).locator("dd")).to_have_text("<b>Oslo</b>")
        await page.reload()
        await ready(page)
    await question(page).get_by_text("The call in full").click()
    await expect(question(page).locator("pre")).to_have_text('{\n  "city": "<b>Oslo</b>"\n}')
    await question(page).get_by_role("button", name="Approve").click()
    await expect(thread(page)).to_contain_text("That is all.")
    await expect(question(page)).to_have_count(0)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await expect(page.get_by_text("what waits is refused")).to_be_hidden()
    for _ in range(2):
        await expect(thread(page).locator("summary")).to_contain_text("approved by you")
        await page.reload()
        await ready(page)
    await expect(page.get_by_role("navigation", name="Chats")).not_to_contain_text("Asks you")


async def test_a_call_is_refused_with_a_note_by_keyboard(visitor: Visitor, provider: Provider) -> None:
    page = await asked(visitor, provider, ("add", {"a": 1, "b": 2}))
    refuse = question(page).get_by_role("button", name="Refuse …")
    await refuse.focus()
    await page.keyboard.press("Enter")
    await expect(question(page).locator("textarea")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(refuse).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type("Ask Jonas first.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(thread(page)).to_contain_text("That is all.")
    line = thread(page).locator("summary")
    await expect(line).to_contain_text("Did not use")
    await expect(line).to_contain_text("refused by you: “Ask Jonas first.”")
    await page.reload()
    await expect(line).to_contain_text("refused by you: “Ask Jonas first.”")
    await line.click()
    await expect(thread(page)).to_contain_text("They say: Ask Jonas first.")
    assert "Ask Jonas first." in str(provider.requests[-1].json)


async def test_several_calls_are_decided_each(visitor: Visitor, provider: Provider) -> None:
    page = await asked(visitor, provider, ("add", {"a": 1, "b": 2}), ("weather", {"city": "Oslo"}))
    decide = question(page).get_by_role("button", name="Decide", exact=True)
    await expect(decide).to_be_disabled()
    first, second = question(page).locator(".ask-call").all(), question(page).get_by_role("group", name="weather")
    await (await first)[0].get_by_label("Always in this chat").check()
    await expect(decide).to_be_disabled()
    await second.get_by_label("Refuse").check()
    await second.get_by_label("What should be done instead?").fill("Look out of the window.")
    await decide.click()
    await expect(thread(page)).to_contain_text("That is all.")
    lines = thread(page).locator("summary")
    await expect(lines.nth(0)).to_contain_text("approved by you, always in this chat")
    await expect(lines.nth(1)).to_contain_text("refused by you")
    provider.script(Answer(calls=[calls(visitor.name, "add", "more", a=2, b=2)]), Answer(["Four."]))
    await say(page, "Again")
    await expect(thread(page)).to_contain_text("Four.")
    await expect(question(page)).to_have_count(0)


async def test_who_decides_second_sees_what_was_decided(visitor: Visitor, provider: Provider) -> None:
    page = await asked(visitor, provider, ("add", {"a": 1, "b": 2}))
    other = await visitor.chat(f"/?{urlsplit(page.url).query}")
    await expect(question(other)).to_be_visible()
    # What it is told of the first decision waits as long as something is pressed.
    await question(other).get_by_role("button", name="Refuse …").click()
    await question(other).get_by_role("button", name="Refuse", exact=True).hover()
    await other.mouse.down()
    await question(page).get_by_role("button", name="Approve").click()
    await expect(thread(page)).to_contain_text("That is all.")
    await other.mouse.up()
    await expect(other.locator("#toast")).to_contain_text("Decided in another window.")
    await expect(question(other)).to_have_count(0)
    await expect(thread(other)).to_contain_text("That is all.")
    await expect(thread(other).locator("summary")).to_contain_text("approved by you")


async def test_a_result_that_names_the_page_leads_there(visitor: Visitor, provider: Provider) -> None:
    """As an error of a server does to which the user is not connected."""
    where = "/accounts/tool-servers/"
    page = await asked(visitor, provider, ("weather", {"city": f"Nowhere: connect at {where}"}))
    await question(page).get_by_role("button", name="Approve").click()
    await thread(page).get_by_role("link", name="Connect …").click()
    await expect(page).to_have_url(re.compile(where))


async def test_a_message_instead_refuses_what_waits(visitor: Visitor, provider: Provider) -> None:
    page = await asked(visitor, provider, ("add", {"a": 1, "b": 2}))
    await say(page, "Never mind")
    await expect(thread(page)).to_contain_text("That is all.")
    await expect(question(page)).to_have_count(0)
    await expect(thread(page).locator("summary")).to_contain_text("refused by you")


async def test_pictures_of_a_tool_are_shown_in_its_line(visitor: Visitor, provider: Provider) -> None:
    page = await arrive_with_tools(visitor)
    provider.script(Answer(calls=[calls(visitor.name, "picture", colour="red")]), Answer(["Here it is."]))
    await say(page, "Draw")
    for _ in range(2):
        await expect(thread(page)).to_contain_text("Here it is.")
        await expect(thread(page).locator(".steps img")).to_be_visible()
        await page.reload()


async def test_a_long_call_says_how_far_it_is(visitor: Visitor, provider: Provider) -> None:
    """Whether the page has met the call, or the chat was opened once it was under way."""
    page = await arrive_with_tools(visitor)
    provider.script(Answer(calls=[calls(visitor.name, "count", to=100, seconds=600)]))
    await say(page, "Count")
    line = thread(page).locator("summary")
    for _ in range(2):
        await expect(line).to_contain_text("1 of 100")
        await expect(line.get_by_role("progressbar", name="Progress of")).to_have_attribute("value", "1")
        await page.reload()
    await expect(line).to_contain_text("1 of 100")
    await page.get_by_role("button", name="Stop the answer").click()
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await expect(line.get_by_role("progressbar")).to_have_count(0)
