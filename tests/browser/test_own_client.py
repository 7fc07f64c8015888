"""The JavaScript client in a browser, in a page on another origin: a token becomes a ticket for each handshake."""

from __future__ import annotations

from playwright.async_api import Browser

from tests.browser.conftest import restart
from tests.browser.contexts import new_context
from tests.live import LiveSite
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


async def test_a_page_elsewhere_chats_and_goes_on_after_a_restart(
    browser: Browser, site: LiveSite, listed_origin: str, provider: Provider
) -> None:
    provider.script(Answer(words=["Hello ", "there"]), Answer(words=["Again"]))
    context = await new_context(browser)
    page = await context.new_page()
    await page.goto(listed_origin)
    await page.evaluate(_CONNECT, [site.ws_url, site.tokens["owner"]])
    assert await page.evaluate(_SAY, "Hi") == "Hello there"
    await restart(site)
    assert await page.evaluate(_SAY, "And now?") == "Again"
    assert await page.evaluate(_FAIL, [site.ws_url, "wrong"]) == "Denied"
    await context.close()
