"""Reading while an answer is written: scroll, selection, open folds and focus stay with the reader."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visitor, ready, say, thread
from tests.browser.stories import walk
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

STORY = "\n\n".join(f"Paragraph {number} of a long story." for number in range(60))
CODE = "\n".join(f"line_{number} = {number}" for number in range(60))
SELECT = """node => {
  const range = document.createRange();
  range.selectNodeContents(node);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""
SELECTED = "() => getSelection().toString()"


def steps(page: Page) -> Locator:
    """The lines of reasoning and tools."""
    return thread(page).locator("details.step")


async def ended(page: Page, count: int = 1) -> None:
    """Return once so many answers are stored."""
    await expect(thread(page).get_by_role("button", name="Details")).to_have_count(count)


async def test_a_slow_wheel_leaves_the_end_while_an_answer_grows(visitor: Visitor, provider: Provider) -> None:
    gates = [Gate() for _ in range(3)]
    provider.script(
        Answer(words=[STORY, "\n\nOne.", "\n\nTwo.", "\n\nThree."], gates={1: gates[0], 2: gates[1], 3: gates[2]})
    )
    page = await visitor.arrive()
    scroller = page.locator("#scroller")
    await say(page, "Tell me")
    await expect(thread(page)).to_contain_text("Paragraph 59")
    await expect(thread(page).get_by_text("Paragraph 59")).to_be_in_viewport()
    await scroller.hover()
    before = await scroller.evaluate("box => box.scrollTop")
    await page.mouse.wheel(0, -8)
    await expect(scroller).not_to_have_js_property("scrollTop", before)
    gates[0].open()
    await expect(thread(page)).to_contain_text("One.")
    place = await scroller.evaluate("box => box.scrollTop")
    gates[1].open()
    await expect(thread(page)).to_contain_text("Two.")
    assert await scroller.evaluate("box => box.scrollTop") == place
    await page.get_by_role("button", name="Jump to latest").click()
    gates[2].open()
    await expect(thread(page).get_by_text("Three.")).to_be_in_viewport()
    await ended(page)


@pytest.mark.thorough
async def test_a_long_message_is_answered_in_view(visitor: Visitor, provider: Provider) -> None:
    """The box of the conversation grows when the long message leaves the composer: that is no way up."""
    gate = Gate()
    provider.script(Answer(words=[STORY]), Answer(words=[STORY, "\n\nThe end."], gates={1: gate}))
    page = await visitor.arrive()
    await say(page, "Tell me")
    await ended(page)
    await expect(thread(page).get_by_text("Paragraph 59")).to_be_in_viewport()
    await say(page, "And once more:\nthe same,\nin full")
    await expect(thread(page).get_by_text("Paragraph 59").nth(1)).to_be_in_viewport()
    gate.open()
    await expect(thread(page).get_by_text("The end.")).to_be_in_viewport()
    await ended(page, 2)


@pytest.mark.thorough
async def test_a_selection_in_code_stays_while_it_is_written(visitor: Visitor, provider: Provider) -> None:
    gates = [Gate(), Gate()]
    words = ["Look:\n\n```python\nfirst = 1\n", "second = 2\n", "third = 3\n```\n\nThe end."]
    provider.script(Answer(words=words, gates={1: gates[0], 2: gates[1]}))
    page = await visitor.arrive()
    await say(page, "Code, please")
    code = thread(page).locator("pre")
    await expect(code).to_contain_text("first = 1")
    await code.locator("span").first.evaluate(SELECT)
    await thread(page).get_by_role("button", name="Copy code").focus()
    gates[0].open()
    await expect(code).to_contain_text("second = 2")
    assert await page.evaluate(SELECTED) == "first"
    gates[1].open()
    await ended(page)
    await expect(thread(page)).to_contain_text("The end.")
    assert await page.evaluate(SELECTED) == "first"
    await expect(thread(page).get_by_role("button", name="Copy code")).to_be_focused()


async def test_a_selection_in_text_stays_when_the_answer_is_stored(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["The first paragraph.\n\nThe second ", "goes on."], gates={1: gate}))
    page = await visitor.arrive()
    await say(page, "Write")
    first = thread(page).get_by_text("The first paragraph.")
    await first.evaluate(SELECT)
    gate.open()
    await ended(page)
    assert await page.evaluate(SELECTED) == "The first paragraph."


async def test_an_open_step_stays_open_and_focused(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    asks = Answer(reasoning=["Let me think."], calls=[Call("calculator", '{"expression": "6*7"}')])
    provider.script(asks, Answer(words=["It is ", "forty-two."], gates={1: gate}))
    page = await visitor.arrive()
    await say(page, "How much?")
    await expect(thread(page)).to_contain_text("It is")
    await steps(page).last.locator("summary").press("Enter")
    await expect(steps(page).last).to_contain_text("Used calculator")
    gate.open()
    await ended(page)
    await expect(steps(page).last.locator("summary")).to_be_focused()
    for _ in range(2):
        await expect(steps(page).last.get_by_text("6*7")).to_be_visible()
        await expect(steps(page).first.get_by_text("Let me think.")).to_be_hidden()
        await page.reload()


async def test_what_is_pressed_stays_when_the_answer_ends(visitor: Visitor, provider: Provider) -> None:
    """A click comes when the button is released, where the same element is still under it."""
    gate = Gate()
    asks = Answer(calls=[Call("calculator", '{"expression": "6*7"}')])
    provider.script(asks, Answer(words=["It is ", STORY], gates={1: gate}))
    page = await visitor.arrive()
    await say(page, "How much?")
    await expect(thread(page)).to_contain_text("It is")
    await steps(page).locator("summary").hover()
    await page.mouse.down()
    gate.open()
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await expect(thread(page)).not_to_contain_text("Paragraph")
    await page.mouse.up()
    await expect(steps(page)).to_have_attribute("open", "")
    await expect(thread(page).get_by_text("Paragraph 59")).to_be_in_viewport()
    await ended(page)


@pytest.mark.thorough
async def test_the_row_of_a_chat_stays_while_it_is_pressed(visitor: Visitor, provider: Provider) -> None:
    """Another tab has its chat answered: its mark changes."""
    gate = Gate()
    provider.script(Answer(["One."]), Answer(words=["Two", "."], gates={1: gate}))
    page = await visitor.arrive()
    await say(page, "First")
    await ended(page)
    other = await visitor.chat(f"/?{urlsplit(page.url).query}")
    await page.get_by_role("navigation", name="Chats").get_by_role("button", name="Options of").hover()
    await page.mouse.down()
    await say(other, "Go on")
    await expect(page).to_have_title(re.compile("^● "))
    gate.open()
    await expect(page).to_have_title(re.compile("^First"))
    await page.mouse.up()
    await expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()


async def fences_of_what_is_said_are_code(page: Page, provider: Provider) -> None:
    await page.get_by_label("Message", exact=True).fill("Look:\n\n```py\na  <b>\n```\n\nand **this**")
    await page.keyboard.press("Enter")
    await ended(page)
    bubble = thread(page).locator(".bubble")
    await expect(bubble.locator("pre")).to_have_text("a  <b>")
    words = await bubble.evaluate("node => [node.firstChild.textContent, node.lastChild.textContent]")
    assert words == ["Look:", "and **this**"]
    await expect(bubble.get_by_role("button", name="Copy code")).to_be_visible()


async def three_tools_in_a_row_join(page: Page, provider: Provider) -> None:
    calls = [Call("calculator", f'{{"expression": "6*{number}"}}') for number in (5, 6, 7)]
    provider.script(Answer(calls=calls[:1]), Answer(calls=calls[1:]), Answer(words=["Done."]))
    await say(page, "How much?")
    await ended(page, 2)
    for _ in range(2):
        await expect(thread(page).get_by_text("Used 3 tools")).to_be_visible()
        await expect(thread(page).get_by_text("Used calculator").first).to_be_hidden()
        await page.reload()
    await thread(page).get_by_text("Used 3 tools").click()
    await expect(thread(page).get_by_text("Used calculator")).to_have_count(3)
    await expect(thread(page).get_by_text("Used calculator").first).to_be_visible()


async def long_code_is_folded_unless_it_was_seen_written(page: Page, provider: Provider) -> None:
    provider.script(Answer(words=[f"```python\n{CODE}\n```\n\n", "The end."]))
    await say(page, "Code, please")
    await ended(page, 3)
    await page.reload()
    more = thread(page).get_by_role("button", name="Show 44 more lines")
    last = thread(page).get_by_text("line_59")
    await more.click()
    await last.scroll_into_view_if_needed()
    await expect(last).to_be_in_viewport()
    await thread(page).get_by_role("button", name="Show less").click()
    await expect(more).to_have_attribute("aria-expanded", "false")


async def a_wide_formula_is_reached_by_keyboard(page: Page, provider: Provider) -> None:
    formula = " + ".join(f"a_{{{number}}}" for number in range(12))
    provider.script(Answer(words=[f"## Sum\n\n$${formula}$$"]))
    await say(page, "Sum it up")
    await ended(page, 6)
    shown = thread(page).locator("math")
    await expect(shown).to_have_js_property("tabIndex", -1)
    await page.set_viewport_size({"width": 390, "height": 844})
    await expect(shown).to_have_js_property("tabIndex", 0)


async def footnotes_of_equal_answers_lead_to_their_own(page: Page, provider: Provider) -> None:
    answer = "word[^1]\n\n[^1]: the note"
    provider.script(Answer(words=[answer]), Answer(words=[answer]))
    for count in (1, 2):
        await say(page, "Go on")
        await expect(thread(page).locator(".footnote")).to_have_count(count)
        await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    await page.reload()
    await expect(thread(page).locator(".footnote")).to_have_count(2)
    await thread(page).locator("sup a").last.click()
    target, last = thread(page).locator(".footnote:target"), thread(page).locator(".footnote").last
    await expect(target).to_have_count(1)
    assert await target.get_attribute("id") == await last.get_attribute("id")


@pytest.mark.thorough
async def test_what_is_said_is_shown_as_what_it_is(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    await walk(
        (
            fences_of_what_is_said_are_code,
            three_tools_in_a_row_join,
            long_code_is_folded_unless_it_was_seen_written,
            footnotes_of_equal_answers_lead_to_their_own,
            a_wide_formula_is_reached_by_keyboard,
        ),
        page,
        provider,
    )


@pytest.mark.thorough
async def test_one_button_sends_or_stops(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["One ", "two"], gates={1: gate}))
    page = await visitor.arrive()
    send, stop = (page.get_by_role("button", name=name, exact=True) for name in ("Send", "Stop the answer"))
    await say(page, "Count")
    await expect(thread(page)).to_contain_text("One")
    await expect(stop).to_be_visible()
    await expect(send).to_be_hidden()
    await page.get_by_label("Message", exact=True).fill("And then?")
    await expect(send).to_be_visible()
    await expect(stop).to_be_hidden()
    await page.get_by_label("Message", exact=True).fill("")
    await stop.click()
    await expect(send).to_be_visible()
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    gate.open()


@pytest.mark.thorough
async def test_paper_has_the_whole_conversation_and_nothing_else(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=[STORY]))
    page = await visitor.arrive()
    await say(page, "Tell me")
    await ended(page)
    await page.emulate_media(media="print")
    for hidden in ("#sidebar", ".bar", ".dock", ".acts >> nth=0"):
        await expect(page.locator(hidden)).to_be_hidden()
    height = await page.evaluate("() => document.documentElement.scrollHeight")
    box = await thread(page).get_by_text("Paragraph 59").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= height


@pytest.mark.thorough
async def test_a_pointer_and_a_finger_reach_what_is_under_answers(
    visitor: Visitor, browser: Browser, provider: Provider
) -> None:
    """A pointer sees it on hover, and always under the last answer; a finger always."""
    provider.script(Answer(words=["One."]), Answer(words=["Two."]))
    page = await visitor.arrive()
    for count, text in enumerate(("first", "second"), 1):
        await say(page, text)
        await ended(page, count)
    earlier, last = await thread(page).get_by_role("button", name="Try again").all()
    await page.mouse.move(5, 5)
    await expect(last).to_have_css("opacity", "1")
    await expect(earlier).to_have_css("opacity", "0")
    await thread(page).get_by_text("One.").hover()
    await expect(earlier).to_have_css("opacity", "1")
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await context.add_cookies(await visitor.context.cookies())  # type: ignore[arg-type]
    phone = await context.new_page()
    await phone.goto(page.url)
    await ready(phone)
    await ended(phone, 2)
    for button in await thread(phone).locator(".acts button").all():
        await expect(button).to_have_css("opacity", "1")
        box = await button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    await context.close()
