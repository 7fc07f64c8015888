"""What a chat costs, as its user sees it: under each answer, and for the chat as a whole."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.shell import act
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.providers.script import Answer


async def prompted(site: LiveSite, words: str) -> None:
    """Edit the profile: far more tokens of prompt than may be missing without a cause."""
    edit = f"""
from sessions_app.models import AgentProfile
profile = AgentProfile.default()
profile.system_prompt = {words!r} * 100
profile.save()
"""
    await asyncio.to_thread(act, site, edit)


def answers(page: Page) -> Locator:
    """The buttons that tell more of an answer, one under each."""
    return thread(page).get_by_role("button", name="Details")


async def details(page: Page) -> Locator:
    """Open what is told of the last answer."""
    await answers(page).last.press("Enter")
    return thread(page).get_by_role("group", name="Details")


async def usage(page: Page) -> Locator:
    """Open the dialog of this chat."""
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Usage").click()
    return page.get_by_role("dialog", name="Usage of this chat")


async def test_a_key_opens_what_an_answer_cost(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["One"]), Answer(words=["Two ", "words"], reasoning=["Hm."]))
    page = await visitor.arrive()
    for count, text in enumerate(("first", "second"), 1):
        await say(page, text)
        await expect(answers(page)).to_have_count(count)
    shown = await details(page)
    await expect(shown.get_by_role("definition").filter(has_text="3 tokens, 1 of them reasoning")).to_be_visible()
    texts = await shown.all_inner_texts()
    await page.reload()
    await expect(await details(page)).to_have_text(texts, use_inner_text=True)
    await page.keyboard.press("Escape")
    await expect(shown).to_be_hidden()
    await expect(answers(page).last).to_be_focused()


@pytest.mark.thorough
async def test_cache_and_guard_are_told_to_staff_alone(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["One"]), Answer(words=["Two"]))
    page = await visitor.arrive()
    for count, text in enumerate(("first", "second"), 1):
        await say(page, text)
        await expect(answers(page)).to_have_count(count)
    await expect(await details(page)).not_to_contain_text("Guard")
    raise_to_staff = f"""
from django.contrib.auth.models import User
from sessions_app.models import Turn
User.objects.filter(username={visitor.name!r}).update(is_staff=True)
reason = "pauses of 2 minutes to 10 minutes (44% between 5 minutes and 1 hour): an hour's cache is cheaper"
told = dict(retention=3600, retention_reason=reason, told_miss="tools_changed")
Turn.objects.filter(owner__username={visitor.name!r}).update(**told)
"""
    await asyncio.to_thread(act, visitor.site, raise_to_staff)
    await page.reload()
    shown = await details(page)
    await expect(shown.get_by_role("definition").filter(has_text="transcript kept: same stamp")).to_be_visible()
    await expect(shown).to_contain_text("Cache")
    await expect(shown.get_by_role("definition").filter(has_text="tools changed")).to_be_visible()
    await expect(shown).to_contain_text("60 minutes in the provider's cache: pauses of 2 minutes to 10 minutes")


@pytest.mark.thorough
async def test_a_chat_follows_an_edited_profile_when_its_user_says_so(
    visitor: Visitor, provider: Provider, site: LiveSite
) -> None:
    await prompted(site, "You speak of the sea. ")
    page = await visitor.arrive()
    await say(page, "hello")
    await expect(answers(page)).to_have_count(1)
    await prompted(site, "You speak of mountains. ")
    dialog = await usage(page)
    await expect(dialog).to_contain_text("keeps the instructions it began with; “Default” was changed since")
    await dialog.get_by_role("button", name="Apply now").press("Enter")
    await expect(dialog).to_contain_text("follows the profile “Default” as it is now")
    await expect(dialog.get_by_role("status")).to_have_text("Applied. The next answer follows it.")
    await expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Options of this chat")).to_be_focused()
    await say(page, "and again")
    await expect(answers(page)).to_have_count(2)
    assert b"You speak of mountains." in provider.bodies[-1]
    await expect(await usage(page)).to_contain_text("profile applied: 1 turn")
