"""The chat as people use it: a real browser, a real server, a provider that speaks the real protocol."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.searching import options, search
from tests.browser.shell import act
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


async def test_a_newcomer_signs_up_and_chats(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["**Hello** ", "Ann, ", "`1 + 1` is two."]))
    page = await visitor.sign_up()
    await expect(page.get_by_role("heading", name="Good ")).to_be_visible()
    await say(page, "Hello, I am Ann")
    await expect(thread(page).locator("strong")).to_have_text("Hello")
    await expect(thread(page).locator("code")).to_have_text("1 + 1")
    await expect(page.locator("#title")).to_have_text("Hello, I am Ann")
    await expect(page.get_by_role("navigation", name="Chats").get_by_text("Hello, I am Ann")).to_be_visible()
    await page.reload()
    await expect(thread(page).locator("strong")).to_have_text("Hello")


async def test_the_answer_streams_and_stops(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["One ", "two ", "three"], gates={2: gate}), Answer(words=["Again"]))
    page = await visitor.arrive()
    await say(page, "Count")
    await expect(thread(page)).to_contain_text("One two")
    await page.get_by_role("button", name="Stop the answer").click()
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await expect(thread(page)).to_contain_text("One two")
    await expect(thread(page)).not_to_contain_text("three")
    gate.open()
    await say(page, "Go on")
    await expect(thread(page)).to_contain_text("Again")
    gate = Gate()
    provider.script(Answer(words=["Four ", "five"], gates={1: gate}))
    await say(page, "And on")
    await expect(thread(page)).to_contain_text("Four")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Stop the answer"), "Escape stops too").to_be_hidden()
    gate.open()


async def test_two_tabs_show_the_same_stream(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["Both ", "see ", "this"], gates={2: gate}))
    first = await visitor.arrive()
    await say(first, "Hello")
    await expect(thread(first)).to_contain_text("Both see")
    second = await visitor.chat(first.url.removeprefix(visitor.site.base_url))
    await expect(thread(second)).to_contain_text("Both see")
    gate.open()
    for page in (first, second):
        await expect(thread(page)).to_contain_text("Both see this")
        await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    provider.script(Answer(words=["From the second"]))
    await say(second, "And back")
    await expect(thread(first)).to_contain_text("And back")
    await expect(thread(first)).to_contain_text("From the second")


async def test_messages_wait_in_their_place_and_are_removed(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["One"], gates={0: gate}), Answer(words=["Three"]))
    page = await visitor.arrive()
    for text in ("first", "second", "third"):
        await say(page, text)
    waiting = thread(page).locator(".message.waiting")
    await expect(waiting).to_have_count(2)
    await waiting.filter(has_text="second").get_by_role("button", name="Remove").click()
    await expect(waiting).to_have_count(1)
    await expect(page.get_by_label("Message", exact=True)).to_have_value("second")
    gate.open()
    await expect(thread(page)).to_contain_text("Three")
    await expect(waiting).to_have_count(0)
    await expect(thread(page)).not_to_contain_text("second")


async def test_an_error_says_what_to_do_and_is_tried_again(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(status=500), Answer(words=["Better now"]))
    page = await visitor.arrive()
    await say(page, "Hello")
    await page.get_by_role("button", name="Try again").click()
    await expect(thread(page)).to_contain_text("Better now")
    await expect(thread(page).locator(".note")).to_have_count(0)


async def test_sessions_are_renamed_found_and_deleted(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    for title in ("Pears", "Apples"):
        await page.get_by_role("link", name="New chat").click()
        provider.script(Answer(words=[f"About {title}"]))
        await say(page, title)
        await expect(thread(page)).to_contain_text(f"About {title}")
    chats = page.get_by_role("navigation", name="Chats")
    await search(page, "pear")
    await expect(options(page, "Chats")).to_have_count(1)
    await expect(options(page, "Chats")).to_contain_text("Pears")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(visitor.site.base_url + "/")
    await expect(page.locator("#toast")).to_have_text("Chat deleted")
    await expect(chats.get_by_text("Apples", exact=True)).to_be_hidden()
    await expect(chats.get_by_text("Pears", exact=True)).to_be_visible()


async def test_what_a_model_says_cannot_hurt_the_page(visitor: Visitor, provider: Provider) -> None:
    hostile = (
        "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">\n\n"
        "[click](javascript:document.title='owned') ![](http://192.0.2.1/leak.png)\n\n" + "> " * 500 + "deep"
    )
    provider.script(Answer(words=[hostile, " The end."]))
    page = await visitor.arrive()
    await say(page, "\u202eright to left\u200b <b>bold</b>")
    await expect(thread(page)).to_contain_text("The end.")
    await expect(thread(page)).to_contain_text("<b>bold</b>")
    await expect(thread(page).locator("img, script, a[href^=javascript]")).to_have_count(0)
    assert "owned" not in await page.title()


async def test_long_conversations_open_at_the_end_and_load_older(visitor: Visitor, site: LiveSite) -> None:
    page = await visitor.arrive()
    await asyncio.to_thread(act, site, LONG)
    await page.reload()
    await page.get_by_role("navigation", name="Chats").get_by_text("Long one").click()
    await expect(thread(page).get_by_text("message 239", exact=True)).to_be_in_viewport()
    await expect(thread(page).get_by_text("message 100", exact=True)).to_have_count(0)
    scroller = page.locator("#scroller")
    for _ in range(8):
        if await thread(page).get_by_text("message 100", exact=True).count():
            break
        before = await thread(page).locator("> *").count()
        await scroller.evaluate("(box) => { box.scrollTop = 0; }")
        await expect(thread(page).locator("> *")).not_to_have_count(before)
    await expect(thread(page).get_by_text("message 100", exact=True)).to_have_count(1)


LONG = """
from django.contrib.auth.models import User
from sessions_app.session_store import chats
from sessions_app.models import ChatSession, Message
from django.db import transaction
owner = User.objects.order_by("pk").last()
with transaction.atomic():
    made = ChatSession.objects.get(pk=chats.create(owner.pk, "Long one").id)
    Message.objects.bulk_create(
        Message(owner=owner, chat_session=made, branch_id=made.active_branch_id, position=number,
                role="assistant" if number % 2 else "user", text=f"message {number}")
        for number in range(240)
    )
"""


async def test_the_keyboard_alone_is_enough(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["By keys"]))
    page = await visitor.arrive()
    await page.get_by_role("link", name="Skip to the message box").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await page.keyboard.type("Hello")
    await page.keyboard.press("Enter")
    await expect(thread(page)).to_contain_text("By keys")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await expect(page.locator("#announcer")).to_contain_text(re.compile("answer|finished", re.IGNORECASE))
