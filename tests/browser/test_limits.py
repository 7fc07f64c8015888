"""A person who has reached a limit is told what it is and what helps, and the page does not knock on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.shell import act
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer


@pytest.fixture(scope="module")
def site(start_site: Callable[..., LiveSite], lasting_provider: Provider) -> Iterator[LiveSite]:
    """A site on which little is allowed."""
    running = start_site(
        HERMES_MODEL="openai-chat:loopback",
        OPENAI_BASE_URL=lasting_provider.base_url,
        OPENAI_API_KEY="loopback",
        HERMES_CONNECTIONS_PER_USER="2",
        HERMES_SESSIONS_PER_USER="10",
        HERMES_TEXT_QUOTA="1000",
    )
    yield running
    assert running.stop() == 0
    assert running.errors() == []


def fill(visitor: Visitor, sessions: int, characters: int) -> str:
    """A program that gives the visitor so many chats, the first with so much text."""
    return f"""
from django.contrib.auth.models import User
from django.db import transaction
from sessions_app.session_store import chats
from sessions_app.models import ChatSession, Message
user = User.objects.get(username={visitor.name!r})
with transaction.atomic():
    made = [chats.create(user.pk, f"Chat {{number}}").id for number in range({sessions})]
    row = ChatSession.objects.get(pk=made[0])
    place = dict(chat_session=row, branch_id=row.active_branch_id, owner=user)
    Message.objects.create(**place, position=0, role="user", text="x" * {characters})
"""


async def has(visitor: Visitor, sessions: int, characters: int) -> None:
    await asyncio.to_thread(act, visitor.site, fill(visitor, sessions, characters))


async def test_one_window_too_many_waits_until_it_is_asked(visitor: Visitor) -> None:
    page, other = await visitor.arrive(), await visitor.chat()
    third = await visitor.page()
    line = third.locator("#connection")
    knocks: list[str] = []
    await expect(line).to_contain_text("You have too many windows of this site open. Close some of them")
    await expect(third.locator("#announcer")).to_contain_text("too many windows")
    await third.clock.install()
    third.on("websocket", lambda socket: knocks.append(socket.url))
    again = line.get_by_role("button", name="Try again")
    async with third.expect_websocket() as knock:
        await again.click()
    socket = await knock.value
    if not socket.is_closed():
        await socket.wait_for_event("close")
    await expect(again).to_be_visible()
    await expect(line).to_contain_text("You have too many windows of this site open.")
    await third.clock.run_for(3_600_000)
    assert len(knocks) == 1
    await third.clock.resume()
    await other.close()
    await expect(page.locator("#connection")).to_be_hidden()
    await again.click()
    await expect(line).to_contain_text("Reconnected")
    await expect(third.locator("#sessions")).to_have_attribute("aria-busy", "false")


async def test_room_for_chats_that_becomes_scarce_is_told(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["Yes"]))
    await visitor.log_in()
    await has(visitor, 8, 1)
    page = await visitor.chat()
    room = page.locator("#quota")
    await expect(page.get_by_role("navigation", name="Chats")).to_contain_text("Chat 7")
    await expect(room).to_be_hidden()
    await say(page, "Hello")
    await expect(room).to_have_text("Your room is nearly used up: 9 of 10 chats. Delete chats that you no longer need.")
    await expect(thread(page)).to_contain_text("Yes")
    await has(visitor, 1, 1)
    await page.goto(visitor.site.base_url)
    await expect(room).to_contain_text("Your room is used up: 10 of 10 chats.")
    await say(page, "One more")
    await expect(page.locator("#toast")).to_contain_text("You have 10 chats, and 10 are allowed. Delete chats")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("One more")
    await delete_first(page)
    await delete_first(page)
    await expect(room).to_be_hidden()


async def delete_first(page: Page) -> None:
    """Delete the newest chat of the list."""
    chats = page.get_by_role("navigation", name="Chats")
    count = await chats.locator("a").count()
    await chats.locator("a").first.click()
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.locator("#dialog-yes").click()
    await expect(chats.locator("a")).to_have_count(count - 1)


async def test_a_text_for_which_there_is_no_room_is_kept(visitor: Visitor, provider: Provider) -> None:
    await visitor.log_in()
    await has(visitor, 1, 995)
    page = await visitor.chat()
    await expect(page.locator("#quota")).to_contain_text("995 of 1,000 characters of text")
    await page.get_by_role("navigation", name="Chats").get_by_text("Chat 0").click()
    await say(page, "Too long for that")
    await expect(thread(page)).to_contain_text("Your chats hold 995 characters, and 1,000 are allowed. Delete chats")
    await expect(thread(page)).not_to_contain_text("Trying again")
    await expect(thread(page).locator(".note").get_by_role("button", name="Try again")).to_be_visible()
