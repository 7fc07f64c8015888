"""A person without a mouse: from the sign-up through a chat, an edited message and its versions to the API tokens."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, ready, thread
from tests.live import PASSWORD
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

STOPS = 100
"""More stops of the Tab key than any page has."""


async def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Go from stop to stop until the target has the focus."""
    await expect(target).to_be_visible()
    for _ in range(STOPS):
        if await target.evaluate("(element) => element === document.activeElement"):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"No stop of {key} is {target}.")


async def press(page: Page, name: str, role: str = "button", key: str = "Tab") -> None:
    """Go to what has this name, and press it."""
    await tab_to(page, page.get_by_role(role, name=name, exact=True).last, key)  # type: ignore[arg-type]
    await page.keyboard.press("Enter")


async def a_form_says_what_is_wrong_where_the_focus_is(page: Page) -> None:
    await expect(page.get_by_label("Username")).to_be_focused()
    await page.keyboard.type("nobody")
    await tab_to(page, page.get_by_label("Password"))
    await page.keyboard.type("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The username or the password is wrong.")).to_be_visible()
    await expect(page.get_by_label("Username")).to_be_focused()


async def signed_up(visitor: Visitor) -> Page:
    """Make an account by the form, and open the chat."""
    page = await visitor.page("/accounts/login/")
    await a_form_says_what_is_wrong_where_the_focus_is(page)
    await press(page, "Sign up", "link")
    await expect(page.get_by_label("Username")).to_be_focused()
    await page.keyboard.type("keyboarder")
    await tab_to(page, page.get_by_label("Password"))
    await page.keyboard.type(PASSWORD)
    await press(page, "Show the password")
    await expect(page.get_by_label("Password")).to_have_value(PASSWORD)
    await expect(page.get_by_label("Password")).to_be_focused()
    await page.keyboard.press("Enter")
    await ready(page)
    return page


async def test_a_newcomer_signs_up_edits_and_walks_versions(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["About pears."]), Answer(words=["About plums."]))
    page = await signed_up(visitor)
    box = page.get_by_label("Message", exact=True)
    await page.get_by_role("link", name="Skip to the message box").focus()
    await page.keyboard.press("Enter")
    await expect(box).to_be_focused()
    await page.keyboard.type("Pears")
    await page.keyboard.press("Enter")
    await expect(thread(page)).to_contain_text("About pears.")
    await expect(box).to_be_focused()
    await expect(page.locator("#announcer")).to_contain_text("Answer finished.")
    await press(page, "Edit", key="Shift+Tab")
    await expect(page.get_by_label("Edit your message")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Plums")
    await page.keyboard.press("Enter")
    await expect(thread(page)).to_contain_text("About plums.")
    await expect(box).to_be_focused()

    await press(page, "Previous version", key="Shift+Tab")
    await expect(thread(page)).to_contain_text("About pears.")
    await press(page, "Next version")
    await expect(thread(page)).to_contain_text("About plums.")


@pytest.mark.thorough
async def test_tokens_are_made_copied_and_revoked(visitor: Visitor) -> None:
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.log_in()
    page = await visitor.page("/accounts/tokens/")
    await tab_to(page, page.get_by_label("What is it for?"))
    await page.keyboard.type("laptop")
    await page.keyboard.press("Enter")
    secret = await page.locator("#secret").inner_text()
    await press(page, "Copy")
    await expect(page.get_by_role("button", name="Copied")).to_be_focused()
    name = page.get_by_label("What is it for?")
    await tab_to(page, name)
    await page.keyboard.press("Control+V")
    await expect(name).to_have_value(secret)

    await press(page, "Revoke laptop", "link")
    await expect(page.get_by_role("heading", name="Revoke “laptop”?")).to_be_visible()
    await press(page, "Keep it", "link")
    await press(page, "Revoke laptop", "link")
    await press(page, "Revoke")
    await expect(page.get_by_role("status")).to_have_text("“laptop” was revoked.")
    await expect(page.get_by_role("link", name="Revoke laptop")).to_have_count(0)
