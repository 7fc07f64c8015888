"""A browser app on another origin: OpenAI's client, ours, and a WebSocket with a ticket, where the site lets it in.

The suite asks for the headers of it (tests/test_cors.py), and for tickets (tests/test_tickets.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page

from tests.browser.contexts import new_context
from tests.browser.elsewhere import origin
from tests.browser.logins import login
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

pytestmark = pytest.mark.thorough

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
_CONNECT_OURS = """async ([url, token]) => {
  const { connect } = await import("/src/index.js");
  window.client = await connect(url, { token });
  window.chat = await client.create();
}"""
_SAY_BY_OURS = """async (text) => {
  let said = "";
  for await (const piece of (await chat.send(text)).texts()) said += piece;
  return said;
}"""
_FAIL_BY_OURS = """async ([url, token]) => {
  const { connect } = await import("/src/index.js");
  return connect(url, { token }).then(() => "", (error) => error.constructor.name);
}"""
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
def cookie(site: LiveSite) -> str:
    """What a browser has in which the apps' user is logged in, whose chats are of these tests alone."""
    return login(site.database, USER)


@pytest.fixture(scope="module")
def token(site: LiveSite, cookie: str) -> str:
    """An API token of that user."""
    return site.database.tokens[USER]


@asynccontextmanager
async def opened(browser: Browser, origin: str) -> AsyncIterator[Page]:
    """An app's page."""
    context = await new_context(browser)
    page = await context.new_page()
    await page.goto(origin)
    await page.wait_for_function("document.title == 'ready'")
    yield page
    await context.close()


async def test_a_listed_app_uses_openais_client_and_a_ticket(
    browser: Browser, site: LiveSite, listed_origin: str, provider: Provider, token: str, cookie: str
) -> None:
    provider.script(Answer(["Hello ", "there"]), Answer(["By ", "ours"]), Answer(["Again"]))
    async with opened(browser, listed_origin) as page:
        told = await page.evaluate(_SAY, [site.base_url, token, "Hi"])
        assert told["models"] == ["Default"]
        assert told["said"] == "Hello there"
        ticket = await page.evaluate(_TICKET, [site.base_url, token])
        assert await page.evaluate(_LIST, f"{site.ws_url}?ticket={ticket}") == [told["session"]]
        assert await page.evaluate(_LIST, f"{site.ws_url}?ticket={ticket}") == 4401
        refused = await page.evaluate(_SAY, [site.base_url, "wrong", "Hi"])
        assert refused == {"error": "AuthenticationError", "status": 401, "code": "invalid_api_key"}
        await our_client_chats(page, site, token)
        await page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.base_url}])
        await never_acts_by_the_cookie_of_its_user(page, site)


async def our_client_chats(page: Page, site: LiveSite, token: str) -> None:
    """A token becomes a ticket for each handshake."""
    for said in ("By ours", "Again"):
        await page.evaluate(_CONNECT_OURS, [site.ws_url, token])
        assert await page.evaluate(_SAY_BY_OURS, "Hi") == said
    assert await page.evaluate(_FAIL_BY_OURS, [site.ws_url, "wrong"]) == "Denied"


async def never_acts_by_the_cookie_of_its_user(page: Page, site: LiveSite) -> None:
    """Where its user is logged in at the site, in the same browser."""
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
