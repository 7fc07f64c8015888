"""Features that are for groups: what the page does not offer, and why, while it is open.

The suite asks it of the page's parts (tests/page/features.test.js), and of the site.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Visitor
from tests.browser.shell import act
from tests.browser.test_files import put
from tests.live import LiveSite

pytestmark = pytest.mark.thorough

NO_FILES = "Your account may not send files. Ask an administrator of this site for it."
_LIMIT = """
from django.contrib.auth.models import Group
from sessions_app.models import FeatureRule
group, _ = Group.objects.get_or_create(name="those who may")
for feature in ("files", "api_tokens"):
    FeatureRule.objects.get_or_create(feature=feature)[0].groups.set([group] if {limited} else [])
"""


@pytest_asyncio.fixture
async def limited(site: LiveSite) -> AsyncIterator[None]:
    """Has files and tokens be for everybody again after the test: the site is shared."""
    yield
    await asyncio.to_thread(act, site, _LIMIT.format(limited=False))


async def test_an_open_page_follows_what_its_user_may(visitor: Visitor, site: LiveSite, limited: None) -> None:
    page = await visitor.arrive()
    attach = page.get_by_role("button", name="Add files")
    await put(page, "drop", ("early.txt", "text/plain", b"early"))
    await expect(attach).to_be_visible()
    await expect(page.get_by_role("button", name="Send")).to_be_enabled()
    await asyncio.to_thread(act, site, _LIMIT.format(limited=True))
    await expect(attach).to_be_hidden()
    strip = page.get_by_role("list", name="Files to be sent")
    await expect(strip).to_contain_text(NO_FILES)
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await put(page, "drop", ("late.txt", "text/plain", b"late"))
    await expect(page.locator("#toast")).to_have_text(NO_FILES)
    await expect(strip.get_by_role("listitem")).to_have_count(1)
    tokens = await visitor.page("/accounts/tokens/")
    await expect(tokens.get_by_role("status")).to_contain_text("may not use API tokens")
    await expect(tokens.get_by_role("button", name="Make a token")).to_have_count(0)
    await asyncio.to_thread(act, site, _LIMIT.format(limited=False))
    await expect(attach).to_be_visible()
    await tokens.reload()
    await expect(tokens.get_by_role("button", name="Make a token")).to_be_visible()
