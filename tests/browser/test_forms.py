"""Forms in two tabs of one browser, sent after the login has changed in the other."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, ready
from tests.live import PASSWORD

LOGIN = "/accounts/login/"


async def fill(page: Page, name: str) -> None:
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def log_out(page: Page, visitor: Visitor) -> None:
    await press(page, visitor.name)
    await press(page, "Log out")


async def test_the_login_of_a_second_tab_leads_on(visitor: Visitor) -> None:
    first = await visitor.arrive()
    await log_out(first, visitor)
    second = await visitor.page(LOGIN)
    for page in (first, second):
        await fill(page, visitor.name)
    await press(first, "Log in")
    await ready(first)
    await press(second, "Log in")
    await ready(second)
    await expect(second).to_have_url(visitor.site.base_url + "/")


async def test_the_logout_of_a_second_tab_leads_to_the_login(visitor: Visitor) -> None:
    first = await visitor.arrive()
    second = await visitor.chat()
    # The second tab does not hear of the logout: it is left open at the form.
    await second.route_web_socket("**/ws/chat/", lambda _: None)
    await second.reload()
    await press(second, visitor.name)
    await log_out(first, visitor)
    await expect(first.get_by_role("heading", name="Log in")).to_be_visible()
    await press(second, "Log out")
    await expect(second.get_by_role("heading", name="Log in")).to_be_visible()


async def test_a_logout_older_than_the_login_asks_again(visitor: Visitor) -> None:
    other = await visitor.page(LOGIN)
    page = await visitor.arrive()
    await fill(other, visitor.name)
    await press(other, "Log in")
    await ready(other)
    await log_out(page, visitor)
    await expect(page.get_by_role("status")).to_have_text("This page was out of date; please try again.")
    await press(page, "Log out")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
