"""The JavaScript client in a browser, in a page on another origin: a token becomes a ticket for each handshake."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.browser.contexts import new_context
from tests.live import LiveSite
from tests.processes import ROOT
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

_CONNECT = """async ([url, token]) => {
  const { connect } = await import("/src/index.js");
  window.client = await connect(url, { token });
  window.chat = await client.create();
}"""
_SAY = """async (text) => {
  let said = "";
  for await (const piece of (await chat.send(text)).texts()) said += piece;
  return said;
}"""
_FAIL = """async ([url, token]) => {
  const { connect } = await import("/src/index.js");
  return connect(url, { token }).then(() => "", (error) => error.constructor.name);
}"""


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """An origin that serves the client's files, and a list of them as its page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(ROOT / "clients" / "js")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, elsewhere: str) -> AsyncIterator[Page]:
    context = await new_context(browser)
    opened = await context.new_page()
    await opened.goto(elsewhere)
    yield opened
    await context.close()


async def test_a_page_elsewhere_chats_and_goes_on_after_a_restart(
    page: Page, elsewhere: str, start_site: Callable[..., LiveSite], provider: Provider
) -> None:
    own = {"OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": "loopback", "HERMES_API_ORIGINS": elsewhere}
    site = await asyncio.to_thread(lambda: start_site(HERMES_MODEL="openai-chat:loopback", **own))
    provider.script(Answer(words=["Hello ", "there"]), Answer(words=["Again"]))
    await page.evaluate(_CONNECT, [site.ws_url, site.tokens["owner"]])
    assert await page.evaluate(_SAY, "Hi") == "Hello there"
    await asyncio.to_thread(site.restart)
    assert await page.evaluate(_SAY, "And now?") == "Again"
    assert await page.evaluate(_FAIL, [site.ws_url, "wrong"]) == "Denied"
    assert await asyncio.to_thread(site.stop) == 0
    assert site.errors() == []
