"""A browser app on another origin: OpenAI's own client, and a WebSocket with a ticket, where the site lets them in."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.browser.contexts import new_context
from tests.live import PASSWORD, LiveSite
from tests.processes import ROOT
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

# The client as it is installed, and nothing of ours.
_PAGE = """<!doctype html><title>An app</title>
<script type="importmap">{"imports": {"openai": "/openai/index.mjs"}}</script>
<script type="module">
import OpenAI from "openai";
window.app = {
  client: (baseURL, apiKey) => new OpenAI({ baseURL, apiKey, dangerouslyAllowBrowser: true, maxRetries: 0 }),
  outcome: async (work) => {
    try { return await work(); } catch (error) {
      return { error: error.constructor.name, status: error.status, code: error.code };
    }
  },
};
document.title = "ready";
</script>"""
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


class _Files(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        page = _PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def guess_type(self, path: Any) -> str:
        return "text/javascript" if str(path).endswith(".mjs") else super().guess_type(path)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """The origin of an app's page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(ROOT / "node_modules")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def started(start_site: Callable[..., LiveSite], provider: Provider, **env: str) -> LiveSite:
    env = {"OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": "loopback", **env}
    return start_site(HERMES_MODEL="openai-chat:loopback", **env)


@pytest.fixture(scope="module")
def listing(start_site: Callable[..., LiveSite], lasting_provider: Provider, app: str) -> Iterator[LiveSite]:
    """A site that lets the app in."""
    running = started(start_site, lasting_provider, HERMES_API_ORIGINS=app)
    yield running
    assert running.stop() == 0
    assert running.errors() == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, app: str) -> AsyncIterator[Page]:
    """The app's page."""
    context = await new_context(browser)
    opened = await context.new_page()
    await opened.goto(app)
    await opened.wait_for_function("document.title == 'ready'")
    yield opened
    await context.close()


async def log_in(page: Page, site: LiveSite) -> None:
    """Log the browser in at the site, in a tab of its own."""
    tab = await page.context.new_page()
    await tab.goto(f"{site.base_url}/accounts/login/")
    await tab.get_by_label("Username").fill("owner")
    await tab.get_by_label("Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Log in").click()
    await tab.wait_for_url(f"{site.base_url}/")
    await tab.close()


async def test_a_listed_app_uses_openais_client_and_a_ticket(page: Page, listing: LiveSite, provider: Provider) -> None:
    provider.script(Answer(["Hello ", "there"]))
    token = listing.tokens["owner"]
    told = await page.evaluate(_SAY, [listing.base_url, token, "Hi"])
    assert told["models"] == ["Default"]
    assert told["said"] == "Hello there"
    ticket = await page.evaluate(_TICKET, [listing.base_url, token])
    assert await page.evaluate(_LIST, f"{listing.ws_url}?ticket={ticket}") == [told["session"]]
    assert await page.evaluate(_LIST, f"{listing.ws_url}?ticket={ticket}") == 4401
    refused = await page.evaluate(_SAY, [listing.base_url, "wrong", "Hi"])
    assert refused == {"error": "AuthenticationError", "status": 401, "code": "invalid_api_key"}


async def test_an_app_that_is_not_listed_gets_nothing(
    page: Page, start_site: Callable[..., LiveSite], provider: Provider
) -> None:
    site = started(start_site, provider, HERMES_API_ORIGINS="http://127.0.0.1:1")
    token = site.tokens["owner"]
    told = await page.evaluate(_SAY, [site.base_url, token, "Hi"])
    assert told["error"] == "APIConnectionError"
    assert (await page.evaluate(_TICKET, [site.base_url, token]))["error"] == "TypeError"
    assert await page.evaluate(_LIST, f"{site.ws_url}?ticket=any") == 1006
    assert site.stop() == 0


async def test_an_app_never_acts_by_the_cookie_of_its_user(page: Page, listing: LiveSite) -> None:
    await log_in(page, listing)
    asks = "async ([url, options]) => app.outcome(async () => (await fetch(url, options)).status)"
    with_cookie = {"method": "POST", "credentials": "include"}
    assert (await page.evaluate(asks, [f"{listing.base_url}/api/ticket", with_cookie]))["error"] == "TypeError"
    assert await page.evaluate(asks, [f"{listing.base_url}/api/ticket", {"method": "POST"}]) == 401
    assert await page.evaluate(_LIST, listing.ws_url) == 1006
