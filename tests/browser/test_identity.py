"""A person logs in by a provider, sets up an app and a passkey, and logs in with each; all policies hold.

The suite asks for each of these ways without a browser: tests/accounts.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.async_api import Browser, Page, expect

from tests.accounts.openid import CLIENT_ID, CLIENT_SECRET, OpenIdProvider
from tests.browser.conftest import ready
from tests.browser.contexts import new_context
from tests.live import LiveSite
from tests.services import free_port

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def place(start_site: Callable[..., LiveSite]) -> Iterator[str]:
    """The address of a site with a provider: a name, because passkeys want one."""
    port = free_port()
    site = start_site(
        OIDC_ISSUER=f"http://127.0.0.1:{port}",
        OIDC_CLIENT_ID=CLIENT_ID,
        OIDC_CLIENT_SECRET=CLIENT_SECRET,
        OIDC_NAME="Example",
    )
    address = site.base_url.replace("127.0.0.1", "localhost")
    provider = OpenIdProvider(f"{address}/accounts/oidc/sso/callback/", port=port)
    provider.hold({"ann": {"preferred_username": "ann"}})
    yield address
    provider.process.stop()
    assert site.stop() == 0
    assert site.errors() == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page of a browser of its own with a passkey authenticator; nothing breaks the site's policies."""
    context = await new_context(browser)
    opened = await context.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text) if "olicy" in message.text else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    devtools = await context.new_cdp_session(opened)
    await devtools.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**kind, "isUserVerified": True, "automaticPresenceSimulation": True}
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield opened
    await context.close()
    assert problems == []


async def log_in_there(page: Page) -> None:
    """Log in at the provider as Ann."""
    await page.locator("[name=login]").fill("ann")
    await page.locator("[name=password]").fill("x")
    await page.locator("button[type=submit]").click()


async def log_out(page: Page, place: str) -> None:
    await page.goto(f"{place}/accounts/logout/")
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def set_up_app(page: Page) -> str:
    """Set up an app, once the provider has confirmed who it is; return a recovery code."""
    await page.get_by_role("link", name="Set up an authenticator app").click()
    await page.get_by_role("button", name="Log in with Example again").click()
    await page.get_by_role("link", name="Go on to").click()
    await log_in_there(page)
    secret = await page.locator("#secret").inner_text()
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    await page.get_by_role("textbox", name="Code").fill(code)
    await page.get_by_role("button", name="Use this app").click()
    recovery = (await page.locator("#secret").inner_text()).split("\n")[0]
    await page.get_by_role("link", name="I have kept them").click()
    return recovery


async def log_in_by_provider(page: Page, place: str) -> None:
    """Log out, and begin a login by the provider, which still knows who it is."""
    await log_out(page, place)
    await page.get_by_role("link", name="Log in with Example").click()
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()


async def test_a_person_has_a_provider_an_app_and_a_passkey(page: Page, place: str) -> None:
    await page.goto(place)
    await page.get_by_role("link", name="Log in with Example").click()
    await log_in_there(page)
    await page.get_by_role("button", name="Continue").click()
    await ready(page)
    await page.goto(f"{place}/accounts/security/")
    recovery = await set_up_app(page)
    await page.get_by_role("textbox", name="Name").fill("My laptop")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_role("status")).to_have_text("The passkey was added.")
    await expect(page.get_by_role("link", name="Rename or remove My laptop")).to_be_visible()

    await log_out(page, place)
    await page.get_by_role("button", name="Log in with a passkey").click()
    await ready(page)
    await log_in_by_provider(page, place)
    await page.get_by_role("textbox", name="Code").fill(recovery)
    await page.get_by_role("button", name="Log in", exact=True).click()
    await ready(page)
    await log_in_by_provider(page, place)
    await page.get_by_role("button", name="Use a passkey").click()
    await ready(page)
