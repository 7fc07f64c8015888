"""A web of one site, `site.example`, that a worker reads."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sessions_app.web_pages import process
from tests.outbound.strangers import Server, serving


class Site(Server):
    """The site; its pages are `replies`."""

    def url(self, path: str = "/") -> str:
        return f"http://site.example:{self.port}{path}"


@pytest_asyncio.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """The site, and workers that find it."""
    site = Site()
    async with serving(handle=site.handle) as listening:
        site.port = listening.port
        monkeypatch.setattr(process, "COMMAND", [sys.executable, "-m", "tests.web_pages.worker", str(site.port)])
        yield site
