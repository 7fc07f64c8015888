"""Calls of tools that a person is asked for: seen in words and in full, decided once, and the same after a reload.

Thorough: the suite asks it of the page without a browser (tests/page/approvals.test.js), and of
turns in tests/turns/test_approvals.py.
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.approving import arrive_with_tools, calls, choose_tools, question
from tests.browser.conftest import Visitor, say, thread
from tests.browser.stories import new_chat, walk
from tests.providers.fixtures import Provider
from tests.providers.script import Answer


async def asked(page: Page, visitor: Visitor, provider: Provider, *tools: tuple[str, dict[str, object]]) -> None:
    """Have an answer in a new chat that wants to use these tools, each with its arguments."""
    await new_chat(page)
    await choose_tools(page)
    made = [calls(visitor.name, tool, "", **given) for tool, given in tools]
    provider.script(Answer(["Let me see."], calls=made), Answer(["That is all."]))
    await say(page, "Do it")
    await expect(question(page)).to_be_visible()


async def a_call_is_seen_in_full_and_approved(page: Page, visitor: Visitor, provider: Provider) -> None:
    await asked(page, visitor, provider, ("weather", {"city": "<b>Oslo</b>"}))
    box = page.get_by_label("Message", exact=True)
    await expect(box).to_be_focused()
    await expect(page.locator("#announcer")).to_contain_text("Your decision is needed")
    await expect(page).to_have_title(re.compile(r"^\? "))
    await expect(page.get_by_role("navigation", name="Chats")).to_contain_text("Asks you")
    await expect(page.get_by_text("what waits is refused")).to_be_visible()
    for is_reloaded in (False, True):
        if is_reloaded:
            await page.reload()
        await expect(question(page)).to_contain_text(f"Wants to use {visitor.name} weather")
        await expect(question(page).locator("dd")).to_have_text("<b>Oslo</b>")
    await question(page).get_by_text("The call in full").click()
    await expect(question(page).locator("pre")).to_have_text('{\n  "city": "<b>Oslo</b>"\n}')
    await question(page).get_by_role("button", name="Approve").click()
    await expect(thread(page)).to_contain_text("That is all.")
    await expect(question(page)).to_have_count(0)
    await expect(box).to_be_focused()
    await expect(page.get_by_text("what waits is refused")).to_be_hidden()
    await expect(thread(page).locator("summary")).to_contain_text("approved by you")
    await expect(page.get_by_role("navigation", name="Chats")).not_to_contain_text("Asks you")


async def a_call_is_refused_with_a_note_by_keyboard(page: Page, visitor: Visitor, provider: Provider) -> None:
    await asked(page, visitor, provider, ("add", {"a": 1, "b": 2}))
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


async def several_calls_are_decided_each(page: Page, visitor: Visitor, provider: Provider) -> None:
    await asked(page, visitor, provider, ("add", {"a": 1, "b": 2}), ("weather", {"city": "Oslo"}))
    decide = question(page).get_by_role("button", name="Decide", exact=True)
    await expect(decide).to_be_disabled()
    first, second = question(page).locator(".ask-call").first, question(page).get_by_role("group", name="weather")
    await first.get_by_label("Always in this chat").check()
    await expect(decide).to_be_disabled()
    await second.get_by_label("Refuse").check()
    await second.get_by_label("What should be done instead?").fill("Look out of the window.")
    await decide.click()
    await expect(thread(page)).to_contain_text("That is all.")
    lines = thread(page).locator("summary")
    await expect(lines.nth(0)).to_contain_text("approved by you, always in this chat")
    await expect(lines.nth(1)).to_contain_text("refused by you")
    provider.script(Answer(calls=[calls(visitor.name, "add", a=2, b=2)]), Answer(["Four."]))
    await say(page, "Again")
    await expect(thread(page)).to_contain_text("Four.")
    await expect(question(page)).to_have_count(0)


async def a_message_instead_refuses_what_waits(page: Page, visitor: Visitor, provider: Provider) -> None:
    await asked(page, visitor, provider, ("add", {"a": 1, "b": 2}))
    await say(page, "Never mind")
    await expect(thread(page)).to_contain_text("That is all.")
    await expect(question(page)).to_have_count(0)
    await expect(thread(page).locator("summary")).to_contain_text("refused by you")


async def a_result_that_names_the_page_leads_there(page: Page, visitor: Visitor, provider: Provider) -> None:
    """As an error of a server does to which the user is not connected."""
    where = "/accounts/tool-servers/"
    await asked(page, visitor, provider, ("weather", {"city": f"Nowhere: connect at {where}"}))
    await question(page).get_by_role("button", name="Approve").click()
    await thread(page).get_by_role("link", name="Connect …").click()
    await expect(page).to_have_url(re.compile(where))


@pytest.mark.thorough
async def test_calls_of_tools_wait_for_a_person(visitor: Visitor, provider: Provider) -> None:
    await walk(
        (
            a_call_is_seen_in_full_and_approved,
            several_calls_are_decided_each,
            a_message_instead_refuses_what_waits,
        ),
        await arrive_with_tools(visitor),
        visitor,
        provider,
    )


@pytest.mark.thorough
async def test_calls_are_refused_and_fail(visitor: Visitor, provider: Provider) -> None:
    await walk(
        (
            a_call_is_refused_with_a_note_by_keyboard,
            a_result_that_names_the_page_leads_there,
        ),
        await arrive_with_tools(visitor),
        visitor,
        provider,
    )
