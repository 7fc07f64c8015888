"""The tab that visitors hand on: to go on in it costs half of what a new one does.

One that bears anything of a test that nothing takes out of a page again is closed instead. (A page's own clock is such
a thing too, and is not noticed here: a test installs it in a page that it has prepared, or in a second one.)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.async_api import BrowserContext, Error, Page

from tests.browser.contexts import LASTING

_LASTING = (*LASTING, "emulate_media", "on", "once", "set_viewport_size")


class Tab:
    """A tab of a shared context, for one visitor after the other."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._page: Page | None = None
        self._spoiled = False

    async def take(self) -> Page:
        """Return the page that the visitor before has left, or a new one."""
        if self._page is None:
            self._page = await self._context.new_page()
            for name in _LASTING:
                setattr(self._page, name, self._spoiling(getattr(self._page, name)))
        return self._page

    def _spoiling(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self._spoiled = True
            return method(*arguments, **options)

        return call

    async def leave(self, origin: str) -> Page | None:
        """Lead the page to where nothing is, and return it; close one that cannot be handed on."""
        page, self._page = self._page, None
        if page and not self._spoiled:
            # Without a connection there is no way, and the page may be closed already.
            with suppress(Error):
                await page.goto(f"{origin}/favicon.ico")
                await page.evaluate("sessionStorage.clear()")
                self._page = page
        self._spoiled = False
        return self._page
