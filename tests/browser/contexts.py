"""The browser context that tests share, one after the other, so that each finds the site's scripts there.

A visit without them costs twice as much: seventy files asked for, sent and compiled. All else that a person leaves in
a browser goes after each test. What would stay in a context is refused: a test that needs it asks it of its pages
(``Visitor.prepare``). The shared one asks for little motion: to draw what moves costs a tenth of a test.
"""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

# Milliseconds: long enough for a slow machine, and only ever spent by a test that fails.
TIMEOUT = 120_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# All pages of a context in one process, which keeps what it has compiled as long as one of them is open.
FLAGS += ["--process-per-site", "--disable-site-isolation-trials", "--renderer-process-limit=1"]
# What nothing takes out of a context, or of a page, again.
LASTING = ("add_init_script", "expose_binding", "expose_function", "route", "route_web_socket")
# What pages store, but for the files in the browser's cache.
_STORED = "cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage,shared_storage,storage_buckets"


async def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """Open a context of a test's own; `close` it."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    context.set_default_timeout(TIMEOUT)
    return context


async def shared_context(browser: Browser) -> BrowserContext:
    """Open the context of many tests; `empty` it after each. Its first page stays open."""
    context = await new_context(browser, reduced_motion="reduce")
    await context.new_page()
    for name in LASTING:
        setattr(context, name, _refuse)
    return context


async def keep_process(context: BrowserContext, origin: str) -> None:
    """Have a shared context's first page at the site, without a script: so the process of the site's pages stays."""
    page = context.pages[0]
    if not page.url.startswith(f"{origin}/"):
        await page.goto(f"{origin}/favicon.ico")


async def empty(context: BrowserContext, origin: str, kept: Page | None) -> None:
    """Close a shared context's pages, but for the one that is `kept`; take away what they and their test have left."""
    stays, *pages = context.pages
    for page in pages:
        if page is not kept:
            await page.close()
    await context.set_offline(False)
    await context.clear_permissions()
    await forget(stays, origin)


async def forget(page: Page, origin: str) -> None:
    """Take away what pages of an origin have stored in a page's context, but for the files in the cache."""
    await page.context.clear_cookies()
    session = await page.context.new_cdp_session(page)
    await session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": _STORED})
    await session.detach()


async def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("This would stay for the tests that follow: use `visitor.prepare`.")
