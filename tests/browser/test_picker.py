"""Choosing who answers: for a new chat, for an open one, for one answer; and what is said where a choice is gone."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.profiles import give_profiles, remove_profile, take_profiles
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

GONE = "The model of this chat is no longer offered. Choose another to go on."
REMOVED = "The model of this chat was removed. Choose another."
NOT_OFFERED = "This model is no longer offered. Choose another one, then send it again."


async def arrive(visitor: Visitor, site: LiveSite) -> Page:
    """Open the chat as a person who may choose among three profiles."""
    await visitor.log_in()
    await asyncio.to_thread(give_profiles, site, visitor.name)
    page = await visitor.chat()
    await expect(picker(page)).to_be_visible()
    return page


async def arrive_and_ask_quick(visitor: Visitor, site: LiveSite, provider: Provider) -> Page:
    """Open a chat that the profile Quick has answered, with one more answer to come."""
    page = await arrive(visitor, site)
    provider.script(Answer(["One."]), Answer(["Two."]))
    await choose(page, "Quick")
    await say(page, "hello")
    await expect(answer(page, "One.")).to_be_visible()
    return page


def picker(page: Page) -> Locator:
    return page.locator("#picker button")


def menu(page: Page) -> Locator:
    return page.locator("#menu")


async def choose(page: Page, name: str) -> None:
    await picker(page).click()
    await menu(page).get_by_role("menuitemradio", name=name).click()
    await expect(picker(page)).to_contain_text(name)


async def choose_another(page: Page) -> None:
    """Choose the default in the place of a model that is gone."""
    await page.get_by_role("button", name="Choose another").click()
    await menu(page).get_by_role("menuitemradio", name="Default").click()
    await expect(page.locator("#profile-gone")).to_be_hidden()


def models(provider: Provider) -> list[str]:
    """Return the models that were asked."""
    return [request.json["model"] for request in provider.requests]


def answer(page: Page, text: str) -> Locator:
    """The answer of this text, once it is stored."""
    stored = page.get_by_role("button", name="Details")
    return thread(page).locator(".message.assistant").filter(has_text=text).filter(has=stored)


async def opens_over_the_chat_and_not_over_the_list(page: Page) -> None:
    await expect(menu(page)).to_be_visible()
    [button, opened] = [await box.bounding_box() for box in (picker(page), menu(page))]
    assert button
    assert opened
    assert opened["x"] >= button["x"]


async def test_a_profile_is_chosen_for_a_new_chat(visitor: Visitor, site: LiveSite, provider: Provider) -> None:
    page = await arrive(visitor, site)
    provider.script(Answer(["One."]))
    await picker(page).click()
    await opens_over_the_chat_and_not_over_the_list(page)
    await page.keyboard.press("Escape")
    await choose(page, "Quick")
    await say(page, "hello")
    await expect(answer(page, "One.")).to_be_visible()
    await expect(picker(page)).to_contain_text("Quick")
    assert models(provider)[-1] == "quick"
    await page.get_by_role("link", name="New chat").click()
    await expect(picker(page)).to_have_accessible_name("Model: Default")


@pytest.mark.thorough
async def test_on_a_phone_a_sheet_keeps_the_focus_until_it_is_closed(visitor: Visitor, site: LiveSite) -> None:
    page = await arrive(visitor, site)
    await page.set_viewport_size({"width": 390, "height": 844})
    sheet = page.get_by_role("dialog", name="Model")
    await picker(page).click()
    await expect(sheet.get_by_role("menuitemradio", checked=True)).to_be_focused()
    await expect(picker(page)).to_have_attribute("aria-expanded", "true")
    for _ in range(4):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.matches('body, .sheet *')")  # body: the browser's own
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(picker(page)).to_be_focused()
    await expect(picker(page)).to_have_attribute("aria-expanded", "false")
    await picker(page).click()
    await page.mouse.click(200, 100)
    await expect(sheet).to_be_hidden()
    await picker(page).click()
    await sheet.get_by_role("button", name="Close").click()
    await expect(sheet).to_be_hidden()
    await picker(page).press("Enter")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(sheet).to_be_hidden()
    await expect(picker(page)).to_contain_text("Thorough")
    await expect(picker(page)).to_be_focused()


async def test_an_open_chat_says_what_a_switch_costs_and_switches(
    visitor: Visitor, site: LiveSite, provider: Provider
) -> None:
    page = await arrive(visitor, site)
    provider.script(Answer(["One."], counts={"prompt_tokens": 4000}), Answer(["Two."]))
    await say(page, "hello")
    await expect(answer(page, "One.")).to_be_visible()
    await picker(page).press("Enter")
    names = ("Default", "Quick", "Thorough")
    default, quick, thorough = (menu(page).get_by_role("menuitemradio", name=name) for name in names)
    await expect(default).to_have_attribute("aria-checked", "true")
    await expect(default).to_be_focused()
    await expect(thorough).to_contain_text("The model reads this chat anew: about 4,000 tokens, $0.01")
    await expect(quick).not_to_contain_text("$")
    await expect(thorough).to_contain_text("claude-sonnet-4-5")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(picker(page)).to_contain_text("Quick")
    await expect(picker(page)).to_be_focused()
    await say(page, "and now?")
    await expect(answer(page, "Two.")).to_be_visible()
    assert models(provider)[-2:] == ["loopback", "quick"]


@pytest.mark.thorough
async def test_one_answer_again_with_another_model(visitor: Visitor, site: LiveSite, provider: Provider) -> None:
    page = await arrive(visitor, site)
    provider.script(Answer(["One."]), Answer(["Two."]))
    await say(page, "hello")
    await answer(page, "One.").get_by_role("button", name="Try again").click()
    await menu(page).get_by_role("menuitem", name="Try again with Quick").click()
    await expect(answer(page, "Two.")).to_be_visible()
    assert models(provider)[-1] == "quick"
    await expect(picker(page)).to_have_accessible_name("Model: Default")


@pytest.mark.thorough
async def test_a_chat_whose_profile_is_gone_says_so_and_keeps_the_text(
    visitor: Visitor, site: LiveSite, provider: Provider
) -> None:
    page = await arrive_and_ask_quick(visitor, site, provider)
    await asyncio.to_thread(take_profiles, site)
    await page.reload()
    await expect(answer(page, "One.")).to_be_visible()
    await expect(page.get_by_text(GONE, exact=True)).to_be_visible()
    await say(page, "and now?")
    refused = thread(page).get_by_role("article").filter(has_text="and now?")
    await expect(refused).to_contain_text(GONE)
    await choose_another(page)
    await refused.get_by_role("button", name="Try again").click()
    await expect(answer(page, "Two.")).to_be_visible()


@pytest.mark.thorough
async def test_a_profile_that_is_gone_by_the_first_message_loses_nothing(
    visitor: Visitor, site: LiveSite, provider: Provider
) -> None:
    page = await arrive(visitor, site)
    provider.script(Answer(["One."]))
    await choose(page, "Quick")
    await asyncio.to_thread(remove_profile, site, visitor.name, "Quick")
    await say(page, "hello")
    await expect(page.locator("#toast")).to_have_text(NOT_OFFERED)
    box = page.get_by_label("Message", exact=True)
    await expect(box).to_have_value("hello")
    await expect(picker(page)).to_have_accessible_name("Model: Default")
    await box.press("Enter")
    await expect(answer(page, "One.")).to_be_visible()


@pytest.mark.thorough
async def test_an_open_page_is_told_which_profiles_are_taken_away(
    visitor: Visitor, site: LiveSite, provider: Provider
) -> None:
    page = await arrive_and_ask_quick(visitor, site, provider)
    other = await visitor.chat()
    await choose(other, "Thorough")
    await asyncio.to_thread(take_profiles, site)
    await expect(page.get_by_text(GONE, exact=True)).to_be_visible()
    await expect(other.locator("#toast")).to_have_text("The model that you had chosen is no longer offered.")
    await expect(picker(other)).to_be_hidden()
    await choose_another(page)
    await say(page, "and now?")
    await expect(answer(page, "Two.")).to_be_visible()
