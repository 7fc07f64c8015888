"""A user connects to a tool server through their browser, at a site with all its policies, and disconnects.

The suite asks for it without a browser: tests/authorisations.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.authorisations.server import ProtectedServer, protected, running_server
from tests.browser.conftest import Visitor
from tests.browser.shell import act
from tests.live import LiveSite

pytestmark = pytest.mark.thorough

__all__ = ["protected", "running_server"]

ADD = """
from sessions_app.models import AgentProfile, ToolServer
server = ToolServer.objects.create(name="notes", url={url!r}, asks_users=True)
server.profiles.add(AgentProfile.default())
"""


@pytest_asyncio.fixture(loop_scope="session")
async def notes(site: LiveSite, protected: ProtectedServer) -> AsyncIterator[ProtectedServer]:
    """A protected server that the default profile uses, as long as the test lasts."""
    await asyncio.to_thread(act, site, ADD.format(url=protected.url))
    yield protected
    remove = "from sessions_app.models import ToolServer; ToolServer.objects.filter(name='notes').delete()"
    await asyncio.to_thread(act, site, remove)


async def test_a_user_connects_and_disconnects(visitor: Visitor, notes: ProtectedServer) -> None:
    await visitor.arrive()
    page = await visitor.page("/accounts/tool-servers/")
    await page.get_by_role("button", name="Connect to notes").click()
    await page.get_by_role("link", name=f"Go on to {notes.issuer.removeprefix('http://')}").click()
    await page.get_by_role("button", name="Refuse").click()
    await expect(page.get_by_role("status")).to_have_text("You did not agree, so nothing was connected.")
    await page.get_by_role("button", name="Connect to notes").click()
    await page.get_by_role("link", name="Go on to").click()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("status")).to_have_text("You are connected to notes.")
    assert page.url.endswith("/accounts/tool-servers/")
    await page.get_by_role("button", name="Disconnect from notes").click()
    await expect(page.get_by_role("status")).to_contain_text("it has ended the authorisation")
    assert len(notes.memory.revoked) == 1
    await expect(page.get_by_role("button", name="Disconnect from notes")).to_have_count(0)
    assert all(address.startswith(notes.issuer) for address in visitor.strangers)
    visitor.strangers.clear()
