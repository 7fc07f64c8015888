"""A browser whose tabs hide one another, as in a window. The one of the other tests shows all of its tabs at once."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import BrowserContext, async_playwright

from tests.browser.contexts import FLAGS, TIMEOUT
from tests.processes import Process
from tests.services import program


@asynccontextmanager
async def window() -> AsyncIterator[BrowserContext]:
    """Open a window of a whole Chromium, which nobody needs a screen for.

    It is not started by Playwright, which would have each page believe that it is the one before the reader's eyes.
    """
    with tempfile.TemporaryDirectory(prefix="hermes-window-", ignore_cleanup_errors=True) as profile:
        flags = [
            *FLAGS,
            "--headless=new",
            "--window-size=1280,800",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
        ]
        process = Process([program("chromium with windows"), *flags, "about:blank"])
        try:
            address = process.line("DevTools listening on").rpartition(" ")[2]
            async with async_playwright() as playwright:
                browser = await playwright.chromium.connect_over_cdp(address, no_defaults=True)
                context = browser.contexts[0]
                context.set_default_timeout(TIMEOUT)
                yield context
        finally:
            process.kill()
