"""How an answer ended, as the page tells it: when it happens, and after a reload.

Thorough: the suite asks it of the page without a browser (tests/page/run.test.js).
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.stories import new_chat, walk
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

# The words for all of them: tests/page/words.test.js.
FINISHES = {
    "content_filter": "The provider's filter ended this answer.",
    "length": "The answer reached its length limit.",
}
TOO_LONG = {"error": {"message": "Maximum context length is 10 tokens.", "code": "context_length_exceeded"}}


def streamed(*deltas: str, finish: str = "stop") -> Answer:
    """An answer of these deltas, with the provider's word for how it ended."""
    pieces: list[dict[str, Any]] = [{"delta": {"content": text}, "finish_reason": None} for text in deltas]
    pieces.append({"delta": {}, "finish_reason": finish})
    frames = [json.dumps({"id": "c1", "model": "loopback", "choices": [{"index": 0, **piece}]}) for piece in pieces]
    return Answer(raw=[f"data: {frame}\n\n".encode() for frame in [*frames, "[DONE]"]])


def notes(page: Page) -> Locator:
    return thread(page).locator(".note")


def button(page: Page, name: str) -> Locator:
    return thread(page).get_by_role("button", name=name)


async def an_answer_that_is_not_whole_says_why_and_goes_on(page: Page, provider: Provider) -> None:
    for number, (finish, words) in enumerate(FINISHES.items(), 1):
        provider.script(streamed("Half a ", f"tale {number}", finish=finish))
        await say(page, "Tell a tale")
        await expect(notes(page)).to_have_count(number)
        await expect(notes(page).last).to_contain_text(words)
        await expect(page.locator("#announcer")).to_contain_text(words)
        await expect(button(page, "Continue")).to_have_count(int(finish == "length"))
    await page.reload()
    await expect(notes(page)).to_contain_text(list(FINISHES.values()))
    provider.script(Answer(words=["The rest"]))
    await button(page, "Continue").click()
    await expect(thread(page)).to_contain_text("The rest")
    assert provider.requests[-1].json["messages"][-1]["content"] == "Continue."
    await expect(notes(page)).to_have_count(2)
    await expect(button(page, "Continue")).to_have_count(0)
    await expect(thread(page).get_by_text("Half a tale 2")).to_have_count(1)


async def a_thought_without_its_opening_tag_moves(page: Page, provider: Provider) -> None:
    provider.script(streamed("Let me think.", "</think>\n\n", "The answer"))
    await say(page, "Think")
    fold = thread(page).locator("details.step")
    await expect(fold).to_have_count(1)
    await expect(fold.locator(".step-body")).to_contain_text("Let me think.")
    await expect(thread(page).locator(".prose")).to_have_text("The answer")
    await expect(thread(page)).not_to_contain_text("</think>")


async def why_a_message_has_no_answer_stays_with_it(page: Page, provider: Provider) -> None:
    provider.script(Answer(status=401), Answer(words=["Better now"]))
    await say(page, "Hello")
    words = "does not accept this site's API key. Your message is kept."
    for is_reloaded in (False, True):
        if is_reloaded:
            await page.reload()
        await expect(notes(page)).to_contain_text(words)
        await expect(button(page, "Try again")).to_have_count(1)
    await button(page, "Try again").click()
    await expect(thread(page)).to_contain_text("Better now")
    await expect(button(page, "Details")).to_have_count(1)
    await expect(notes(page)).to_have_count(0)
    await expect(thread(page).get_by_text("Hello")).to_have_count(1)


async def a_chat_that_is_too_long_leads_to_a_new_one(page: Page, provider: Provider) -> None:
    provider.script(Answer(status=400, body=TOO_LONG))
    await say(page, "A long story")
    await expect(notes(page)).to_contain_text("too long for the model")
    await expect(notes(page)).to_contain_text("Start a new chat")
    await expect(button(page, "Try again")).to_have_count(0)
    await button(page, "Edit in a new chat").click()
    await expect(page).not_to_have_url(re.compile("chat="))
    await expect(page.get_by_label("Message", exact=True)).to_have_value("A long story")
    await expect(page.get_by_role("heading", name="Good ")).to_be_visible()


@pytest.mark.thorough
async def test_how_an_answer_has_ended_stays(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    for step in (an_answer_that_is_not_whole_says_why_and_goes_on, why_a_message_has_no_answer_stays_with_it):
        await new_chat(page)
        await walk((step,), page, provider)


@pytest.mark.thorough
async def test_what_is_an_answer_and_what_comes_after_none(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    for step in (a_thought_without_its_opening_tag_moves, a_chat_that_is_too_long_leads_to_a_new_one):
        await new_chat(page)
        await walk((step,), page, provider)
