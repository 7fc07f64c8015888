"""The palette, as the tests use it."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect


def palette(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Search and commands")


def field(page: Page) -> Locator:
    return palette(page).get_by_role("combobox")


def options(page: Page, group: str) -> Locator:
    """The options under a heading."""
    return palette(page).get_by_role("group", name=group, exact=True).get_by_role("option")


async def search(page: Page, query: str) -> None:
    """Open the palette by its shortcut and write a query."""
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused()
    await field(page).fill(query)
