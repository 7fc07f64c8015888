"""A person who has reached a limit is told what it is and what helps.

The suite asks the site for its limits (tests/api/test_limits.py), and the page's parts for what they do with a refusal:
tests/page/outbox.test.js, socket.test.js.
"""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.shell import act
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

pytestmark = pytest.mark.thorough


def fill(visitor: Visitor, sessions: int) -> str:
    """A program that gives the visitor so many chats."""
    return f"""
from django.contrib.auth.models import User
from django.db import transaction
from sessions_app.session_store import chats
user = User.objects.get(username={visitor.name!r})
with transaction.atomic():
    for number in range({sessions}):
        chats.create(user.pk, f"Chat {{number}}")
"""


async def has(visitor: Visitor, sessions: int) -> None:
    await asyncio.to_thread(act, visitor.site, fill(visitor, sessions))


async def test_room_for_chats_that_becomes_scarce_is_told(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["Yes"]))
    await visitor.log_in()
    await has(visitor, 17)
    page = await visitor.chat()
    room = page.locator("#quota")
    await expect(page.get_by_role("navigation", name="Chats")).to_contain_text("Chat 16")
    await expect(room).to_be_hidden()
    await say(page, "Hello")
    await expect(room).to_have_text(
        "Your room is nearly used up: 18 of 20 chats. Delete chats that you no longer need."
    )
    await expect(thread(page)).to_contain_text("Yes")
    await has(visitor, 2)
    await page.goto(visitor.site.base_url)
    await expect(room).to_contain_text("Your room is used up: 20 of 20 chats.")
    await say(page, "One more")
    await expect(page.locator("#toast")).to_contain_text("You have 20 chats, and 20 are allowed. Delete chats")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("One more")
    await delete_first(page)
    await expect(room).to_contain_text("Your room is nearly used up: 19 of 20 chats.")


async def delete_first(page: Page) -> None:
    """Delete the newest chat of the list."""
    chats = page.get_by_role("navigation", name="Chats")
    count = await chats.locator("a").count()
    await chats.locator("a").first.click()
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.locator("#dialog-yes").click()
    await expect(chats.locator("a")).to_have_count(count - 1)
