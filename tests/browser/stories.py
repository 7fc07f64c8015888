"""A story: a test that goes on in one page from step to step, where each would need the same beginning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import ParamSpec

from playwright.async_api import Page, expect

P = ParamSpec("P")


async def walk(steps: Iterable[Callable[P, Awaitable[None]]], *args: P.args, **kwargs: P.kwargs) -> None:
    """Take the steps one after the other, each with the same arguments; a failure says in which it was."""
    for step in steps:
        try:
            await step(*args, **kwargs)
        except BaseException as error:
            error.add_note(f"In the step: {step.__name__}")
            raise


async def new_chat(page: Page) -> None:
    """Go on in a chat in which nothing was said."""
    await page.locator("#new-chat").click()
    await expect(page.get_by_role("heading", name="Good ")).to_be_visible()
