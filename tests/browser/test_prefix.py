"""The chat under a prefix of another project's addresses: page, socket, links and settings stay beneath it.

The suite asks such a project without a browser: tests/embedded.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import ready
from tests.browser.contexts import new_context
from tests.live import PASSWORD, LiveSite

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def place(start_site: Callable[..., LiveSite]) -> Iterator[str]:
    """The address of the site's pages, the prefix with it."""
    site = start_site(DJANGO_SETTINGS_MODULE="tests.browser.prefixed_settings")
    yield f"{site.base_url}/chat/"
    assert site.stop() == 0
    assert site.errors() == []


def socket_of(place: str) -> str:
    """The address of its WebSocket."""
    return f"{place.replace('http', 'ws', 1)}ws/chat/"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(place: str, browser: Browser) -> AsyncIterator[Page]:
    """The chat of one user, who has signed up; every address that the browser asks is beneath the prefix."""
    asked: list[str] = []
    context = await new_context(browser)
    tab = await context.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("websocket", lambda socket: asked.append(socket.url))
    await tab.goto(f"{place}accounts/signup/")
    await tab.get_by_label("Username").fill(f"visitor{uuid4().hex}")
    await tab.get_by_label("Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Sign up").click()
    await ready(tab)
    yield tab
    await context.close()
    assert socket_of(place) in asked
    paths = [urlsplit(url).path for url in asked if not url.startswith(("data:", "blob:"))]
    assert [path for path in paths if not path.startswith(("/chat/", "/static/"))] == []


async def test_a_chat_is_held_and_opened_again_under_a_prefix(place: str, page: Page) -> None:
    await page.goto(place)
    await ready(page)
    assert page.url == place
    await page.locator("#text").fill("Calculate 6*7")
    await page.locator("#text").press("Enter")
    await expect(page.locator("#main")).to_contain_text("42")
    await expect(page).to_have_url(re.compile(re.escape(place) + r"\?chat=[0-9a-f-]{36}$"))
    chat = page.url
    await page.locator("#new-chat").click()
    await expect(page).to_have_url(place)
    await page.locator("#sessions a").first.click()
    await expect(page).to_have_url(chat)
    await page.reload()
    await expect(page.locator("#main")).to_contain_text("42")


async def test_settings_and_links_are_beneath_the_prefix(place: str, page: Page) -> None:
    await page.goto(place)
    await page.locator("button.account").click()
    await page.locator("#settings-open").click()
    await page.get_by_role("button", name="Instructions", exact=True).click()
    box = page.locator("#instructions")
    await expect(box).to_be_enabled()
    await box.fill("Answer in English.")
    await page.locator("form.instructions button").click()
    await expect(page.locator("#instructions-status")).to_contain_text("Saved.")
    await page.get_by_role("button", name="Account", exact=True).click()
    ways = [await way.evaluate("link => link.href") for way in await page.locator("a.setting.way").all()]
    assert len(ways) == 5
    for way in ways:
        assert way.startswith(f"{place}accounts/")
        await page.goto(way)
        await expect(page.locator("h1")).to_be_visible()
        await page.locator("a.brand").click()
        await expect(page).to_have_url(place)


async def test_the_description_and_the_manifest_name_the_prefix(place: str, page: Page) -> None:
    described = await (await page.request.get(f"{place}api/openrpc.json")).json()
    assert described["servers"] == [{"name": "chat", "url": socket_of(place)}]
    manifest = await (await page.request.get(f"{place}manifest.webmanifest")).json()
    assert {manifest[name] for name in ("id", "start_url", "scope")} == {"/chat/"}
