"""A browser app on another origin: OpenAI's own client, and a WebSocket with a ticket, where the site lets them in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page

from tests.browser.contexts import new_context
from tests.browser.elsewhere import origin
from tests.live import PASSWORD, LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

USER = "user of apps"
_SAY = """async ([url, token, text]) => app.outcome(async () => {
  const client = app.client(url + "/v1", token);
  const models = (await client.models.list()).data.map((model) => model.id);
  const { data, response } = await client.chat.completions
    .create({ model: "Default", messages: [{ role: "user", content: text }], stream: true }).withResponse();
  let said = "";
  for await (const chunk of data) said += chunk.choices[0]?.delta?.content ?? "";
  return { models, said, session: response.headers.get("x-session-id") };
})"""
_TICKET = """async ([url, token]) => app.outcome(async () => {
  const asked = await fetch(url + "/api/ticket", { method: "POST", headers: { Authorization: "Bearer " + token } });
  return (await asked.json()).ticket;
})"""
# Opens a WebSocket, asks for the list of chats, and says what came of it.
_LIST = """(address) => new Promise((done) => {
  const socket = new WebSocket(address);
  socket.onopen = () => socket.send('{"jsonrpc":"2.0","id":1,"method":"session.list"}');
  socket.onmessage = ({ data }) => {
    done(JSON.parse(data).result.sessions.map((session) => session.id));
    socket.close();
  };
  socket.onclose = ({ code }) => done(code);
})"""


@pytest.fixture(scope="module")
def token(site: LiveSite) -> str:
    """An API token of the apps' user, whose chats are of these tests alone."""
    return site.database.add_user(USER)


@asynccontextmanager
async def opened(browser: Browser, origin: str) -> AsyncIterator[Page]:
    """An app's page."""
    context = await new_context(browser)
    page = await context.new_page()
    await page.goto(origin)
    await page.wait_for_function("document.title == 'ready'")
    yield page
    await context.close()


async def log_in(page: Page, site: LiveSite) -> None:
    """Log the browser in at the site, in a tab of its own."""
    tab = await page.context.new_page()
    await tab.goto(f"{site.base_url}/accounts/login/")
    await tab.get_by_label("Username").fill(USER)
    await tab.get_by_label("Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Log in", exact=True).click()
    await tab.wait_for_url(f"{site.base_url}/")
    await tab.close()


async def test_a_listed_app_uses_openais_client_and_a_ticket(
    browser: Browser, site: LiveSite, listed_origin: str, provider: Provider, token: str
) -> None:
    provider.script(Answer(["Hello ", "there"]))
    async with opened(browser, listed_origin) as page:
        told = await page.evaluate(_SAY, [site.base_url, token, "Hi"])
        assert told["models"] == ["Default"]
        assert told["said"] == "Hello there"
        ticket = await page.evaluate(_TICKET, [site.base_url, token])
        assert await page.evaluate(_LIST, f"{site.ws_url}?ticket={ticket}") == [told["session"]]
        assert await page.evaluate(_LIST, f"{site.ws_url}?ticket={ticket}") == 4401
        refused = await page.evaluate(_SAY, [site.base_url, "wrong", "Hi"])
        assert refused == {"error": "AuthenticationError", "status": 401, "code": "invalid_api_key"}
        await never_acts_by_the_cookie_of_its_user(page, site)


async def never_acts_by_the_cookie_of_its_user(page: Page, site: LiveSite) -> None:
    """Where its user is logged in at the site, in the same browser."""
    await log_in(page, site)
    asks = "async ([url, options]) => app.outcome(async () => (await fetch(url, options)).status)"
    with_cookie = {"method": "POST", "credentials": "include"}
    assert (await page.evaluate(asks, [f"{site.base_url}/api/ticket", with_cookie]))["error"] == "TypeError"
    assert await page.evaluate(asks, [f"{site.base_url}/api/ticket", {"method": "POST"}]) == 401
    assert await page.evaluate(_LIST, site.ws_url) == 1006


async def test_an_app_that_is_not_listed_gets_nothing(browser: Browser, site: LiveSite, token: str) -> None:
    """The site lists another one."""
    with origin() as unlisted:
        async with opened(browser, unlisted) as page:
            told = await page.evaluate(_SAY, [site.base_url, token, "Hi"])
            assert told["error"] == "APIConnectionError"
            assert (await page.evaluate(_TICKET, [site.base_url, token]))["error"] == "TypeError"
            assert await page.evaluate(_LIST, f"{site.ws_url}?ticket=any") == 1006
