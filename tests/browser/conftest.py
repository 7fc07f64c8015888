"""A real browser at a real site, whose provider the test holds in its hand.

One Chromium and one site serve all tests of a process: a start of both takes longer than most tests, and each test is
a person of its own, with an account, and with a browser that holds nothing of anybody else but the site's files.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests.browser.contexts import FLAGS, TIMEOUT, empty, keep_process, shared_context
from tests.browser.elsewhere import origin
from tests.browser.leaving import end_turns
from tests.browser.logins import login
from tests.browser.tabs import Tab
from tests.live import LiveSite
from tests.mail import MailServer, mail_server
from tests.providers.fixtures import Provider

expect.set_options(timeout=TIMEOUT)
_numbers = itertools.count(1)
Prepare = Callable[[Page], Awaitable[object]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the tests of this folder in one event loop, in which the browser's driver lives."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Nothing of ours runs in these tests' loop (the site is another process), and Playwright's driver blocks it."""


class Visitor:
    """One person's browser: pages share a login; what goes wrong in any of them fails the test."""

    def __init__(self, context: BrowserContext, site: LiveSite, tab: Tab | None = None) -> None:
        self.context = context
        self.site = site
        self._tab = tab
        self._preparations: list[Prepare] = []
        self.name = ""
        self.problems: list[str] = []
        self.strangers: list[str] = []

    def prepare(self, preparation: Prepare) -> None:
        """Do this to each page from now on, before it is at the site: for what stays in a page as long as it lives."""
        self._preparations.append(preparation)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note what goes wrong in any page."""
        listeners: dict[Any, Callable[[Any], None]] = {
            "weberror": lambda told: self.problems.append(str(told.error)),
            "console": lambda message: self._hear(message.text),
            "request": lambda request: self._meet(request.url),
        }
        for event, listener in listeners.items():
            self.context.on(event, listener)
        yield
        for event, listener in listeners.items():
            self.context.remove_listener(event, listener)

    async def page(self, path: str = "/") -> Page:
        """Open a tab: the first that needs no preparation is the one that the visitor before has left."""
        tab, self._tab = self._tab, None
        page = await (tab.take() if tab and not self._preparations else self.context.new_page())
        for prepare in self._preparations:
            await prepare(page)
        await page.goto(self.site.base_url + path)
        return page

    async def chat(self, path: str = "/") -> Page:
        """Open a tab on the chat, and return it once the page is at work."""
        page = await self.page(path)
        await ready(page)
        return page

    def _hear(self, line: str) -> None:
        """Notes what the browser says of the site's headers: a policy that was broken, or that it does not know."""
        if any(
            word in line.lower() for word in ("security policy", "permissions policy", "permissions-policy", "trusted")
        ):
            self.problems.append(line)

    def _meet(self, url: str) -> None:
        home = (self.site.base_url, self.site.ws_url, "data:", "blob:")
        if not url.startswith(home):
            self.strangers.append(url)

    async def arrive(self) -> Page:
        """Open the chat as a person who has an account, made for this test alone, and is logged in."""
        await self.log_in()
        return await self.chat()

    async def log_in(self) -> None:
        """Be such a person, and open no page."""
        self.name = f"visitor{next(_numbers)}"
        key = await asyncio.to_thread(login, self.site.database, self.name)
        await self.context.add_cookies([{"name": "sessionid", "value": key, "url": self.site.base_url}])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        await running.close()


@pytest.fixture(scope="session")
def lasting_provider() -> Iterator[Provider]:
    """The loopback provider of all tests of a run."""
    running = Provider()
    yield running
    running.close()


@pytest.fixture
def provider(lasting_provider: Provider, site: LiveSite) -> Iterator[Provider]:
    """The provider, which has nothing left to say from the test before, and whom nobody asks any more."""
    yield lasting_provider
    end_turns(site)
    lasting_provider.forget()


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    """The mail server that the site was told of."""
    with mail_server() as running:
        yield running


@pytest.fixture(scope="session")
def listed_origin() -> Iterator[str]:
    """An origin whose apps the site lets in."""
    with origin() as served:
        yield served


@pytest.fixture(scope="session")
def site(
    start_site: Callable[..., LiveSite], lasting_provider: Provider, mail: MailServer, listed_origin: str
) -> Iterator[LiveSite]:
    """A real site that asks the loopback provider; it must have logged no error when it ends."""
    running = start_site(
        HERMES_MODEL="openai-chat:loopback",
        OPENAI_BASE_URL=lasting_provider.base_url,
        OPENAI_API_KEY="loopback",
        HERMES_PROVIDER_RETRIES="0",
        EMAIL_URL=mail.url,
        HERMES_API_ORIGINS=listed_origin,
        HERMES_SHARING="everybody",
        HERMES_SESSIONS_PER_USER="20",
    )
    yield running
    assert running.stop() == 0
    assert running.errors() == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """The context that visitors share, one after the other."""
    running = await shared_context(browser)
    yield running
    await running.close()


@pytest.fixture(scope="session")
def tab(context: BrowserContext) -> Tab:
    """The tab that visitors hand on."""
    return Tab(context)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(context: BrowserContext, tab: Tab, site: LiveSite) -> AsyncIterator[Visitor]:
    """A person at the site. No script may fail, and the page asks nobody else for anything."""
    await keep_process(context, site.base_url)
    person = Visitor(context, site, tab)
    with person.watched():
        yield person
    await empty(context, site.base_url, await tab.leave(site.base_url))
    assert person.problems == []
    assert person.strangers == []


async def ready(page: Page) -> None:
    """Return once the page's scripts run and its list of chats is loaded."""
    await expect(page.locator("#sessions")).to_have_attribute("aria-busy", "false")


def thread(page: Page) -> Locator:
    """The conversation on the screen."""
    return page.locator("#thread")


async def say(page: Page, text: str) -> None:
    """Write a message and press Enter."""
    box = page.get_by_label("Message", exact=True)
    await box.fill(text)
    await box.press("Enter")
