"""The chat as people use it: a real browser, a real server, a provider that speaks the real protocol."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.searching import options, search
from tests.browser.stories import new_chat, walk
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

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


async def the_answer_streams_and_stops(page: Page, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["**One** ", "`1 + 1` ", "three"], gates={2: gate}), Answer(words=["Again"]))
    await say(page, "Count for me")
    await expect(thread(page)).to_contain_text("One 1 + 1")
    await page.get_by_role("button", name="Stop the answer").click()
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await expect(thread(page).locator("strong")).to_have_text("One")
    await expect(thread(page).locator("code")).to_have_text("1 + 1")
    await expect(thread(page)).not_to_contain_text("three")
    gate.open()
    await expect(page.locator("#title")).to_have_text("Count for me")
    await expect(page.get_by_role("navigation", name="Chats").get_by_text("Count for me")).to_be_visible()
    await say(page, "Go on")
    await expect(thread(page)).to_contain_text("Again")
    gate = Gate()
    provider.script(Answer(words=["Four ", "five"], gates={1: gate}))
    await say(page, "And on")
    await expect(thread(page)).to_contain_text("Four")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Stop the answer"), "Escape stops too").to_be_hidden()
    gate.open()


async def messages_wait_in_their_place_and_are_removed(page: Page, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["One"], gates={0: gate}), Answer(words=["Three"]))
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


async def what_a_model_says_cannot_hurt_the_page(page: Page, provider: Provider) -> None:
    hostile = (
        "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">\n\n"
        "[click](javascript:document.title='owned') ![](http://192.0.2.1/leak.png)\n\n" + "> " * 500 + "deep"
    )
    provider.script(Answer(words=[hostile, " The end."]))
    await say(page, "\u202eright to left\u200b <b>bold</b>")
    await expect(thread(page)).to_contain_text("The end.")
    await expect(thread(page)).to_contain_text("<b>bold</b>")
    await expect(thread(page).locator("img, script, a[href^=javascript]")).to_have_count(0)
    assert "owned" not in await page.title()


async def a_chat_is_found_and_another_deleted(page: Page, provider: Provider) -> None:
    provider.script(Answer(words=["About Apples"]))
    await say(page, "Apples")
    await expect(thread(page)).to_contain_text("About Apples")
    chats = page.get_by_role("navigation", name="Chats")
    await search(page, "count for")
    await expect(options(page, "Chats")).to_have_count(1)
    await expect(options(page, "Chats")).to_contain_text("Count for me")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.locator("#toast")).to_have_text("Chat deleted")
    await expect(page.get_by_role("heading", name="Good ")).to_be_visible()
    await expect(chats.get_by_text("Apples", exact=True)).to_be_hidden()
    await expect(chats.get_by_text("Count for me", exact=True)).to_be_visible()


async def test_a_person_chats(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    for step in (
        the_answer_streams_and_stops,
        messages_wait_in_their_place_and_are_removed,
        what_a_model_says_cannot_hurt_the_page,
        a_chat_is_found_and_another_deleted,
    ):
        await new_chat(page)
        await walk((step,), page, provider)
