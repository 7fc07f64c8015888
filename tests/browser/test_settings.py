"""The settings: what they change, that it stays, and that it is in all tabs."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import Visitor, say, thread
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

INSTRUCTIONS = "**/accounts/instructions/"


async def settings(page: Page) -> Locator:
    await page.get_by_role("button", name=f"{await page.locator('.account-name').inner_text()}").click()
    await page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    await expect(dialog).to_be_visible()
    return dialog


async def choose(dialog: Locator, setting: str, value: str) -> None:
    await dialog.get_by_role("group", name=setting).get_by_label(value, exact=True).check()


async def test_the_theme_stays_and_is_in_all_tabs(visitor: Visitor) -> None:
    page = await visitor.arrive()
    other = await visitor.chat()
    root, there = page.locator("html"), other.locator("html")
    dialog = await settings(page)
    await choose(dialog, "Theme", "Dark")
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(there).to_have_attribute("data-theme", "dark")
    # Without the page's own scripts: nothing is painted in the other theme first.
    await page.route("**/main*.js", lambda route: route.abort())
    await page.reload()
    await expect(root).to_have_attribute("data-theme", "dark")
    await page.unroute("**/main*.js")
    await page.reload()
    dialog = await settings(page)
    await choose(dialog, "Theme", "System")
    await expect(root).not_to_have_attribute("data-theme", "dark")


@pytest.mark.thorough
async def test_enter_starts_a_line_where_the_reader_wants_that(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(["One."]))
    page = await visitor.arrive()
    dialog = await settings(page)
    await choose(dialog, "Send with", "Ctrl Enter")
    await page.keyboard.press("Escape")
    box = page.get_by_label("Message", exact=True)
    await expect(box).to_have_accessible_description("Ctrl Enter sends, Enter starts a line")
    await box.fill("First")
    await box.press("Enter")
    await box.press_sequentially("second")
    await expect(box).to_have_value("First\nsecond")
    await box.press("Control+Enter")
    await expect(thread(page)).to_contain_text("One.")


@pytest.mark.thorough
async def test_the_hours_are_the_readers(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(["One."]))
    page = await visitor.arrive()
    await say(page, "Pears")
    await expect(thread(page)).to_contain_text("One.")
    time = thread(page).locator("time").first
    for hours, pattern in (("12", r"^\d{1,2}:\d\d [ap]m$"), ("24", r"^\d\d:\d\d$")):
        dialog = await settings(page)
        await choose(dialog, "Hours", hours)
        await page.keyboard.press("Escape")
        assert await time.evaluate(f"(time) => /{pattern}/.test(time.textContent)")


async def test_instructions_are_loaded_saved_and_bounded(visitor: Visitor) -> None:
    page = await visitor.arrive()
    sent: list[object] = []

    async def answer(route: Route) -> None:
        if route.request.method == "PUT":
            assert route.request.headers["x-csrftoken"]
            sent.append(route.request.post_data_json)
        await route.fulfill(body=json.dumps({"text": "Be brief."}), content_type="application/json")

    await page.route(INSTRUCTIONS, answer)
    dialog = await settings(page)
    await dialog.get_by_role("button", name="Instructions").click()
    box = dialog.get_by_role("textbox")
    await expect(box).to_have_value("Be brief.")
    await box.fill("x" * 4_001)
    await expect(dialog).to_contain_text("1 character too long")
    await expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    await box.fill("Be kind.")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_contain_text("Saved.")
    assert sent == [{"text": "Be kind."}]


@pytest.mark.thorough
async def test_instructions_that_cannot_be_had_cannot_be_overwritten(visitor: Visitor) -> None:
    page = await visitor.arrive()
    await page.route(INSTRUCTIONS, lambda route: route.fulfill(status=503))
    dialog = await settings(page)
    await dialog.get_by_role("button", name="Instructions").click()
    await expect(dialog).to_contain_text("could not be loaded")
    await expect(dialog.get_by_role("textbox")).to_be_disabled()
    await expect(dialog.get_by_role("button", name="Save")).to_be_disabled()


async def test_the_account_leads_to_all_its_pages(visitor: Visitor) -> None:
    page = await visitor.arrive()
    dialog = await settings(page)
    await dialog.get_by_role("button", name="Account").click()
    links = dialog.get_by_role("link")
    await expect(links).to_contain_text(["Where you are logged in", "Password", "E-mail address", "API tokens"])
    await dialog.get_by_role("link", name="E-mail address").click()
    await expect(page.get_by_role("heading", name="E-mail address")).to_be_visible()
