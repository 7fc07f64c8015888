"""Enter and Escape while an input method composes: they are its own, in every field of the page."""

from __future__ import annotations

from playwright.async_api import CDPSession, Locator, Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.searching import field, palette, search
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

WORD = "にほ"
CODES = {"Enter": 13, "Escape": 27}
# What the input method did with each key; the page's own listeners come later.
WATCH = """
window.heard = [];
addEventListener("keydown", (event) => heard.push([event.key, event.isComposing]), { capture: true });
"""


class InputMethod:
    """Composes in the field that has the focus, through Chromium's own composition."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page = page
        self._session = session

    async def compose(self, text: str = WORD) -> None:
        """Begin a word, or go on with it."""
        size = len(text)
        await self._session.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": size, "selectionEnd": size}
        )

    async def press(self, key: str) -> None:
        """Press a key that the input method takes: no character comes of it. The browser says that it composes."""
        await self.page.evaluate("heard.length = 0")
        event = {"key": key, "code": key, "windowsVirtualKeyCode": CODES[key]}
        for kind in ("rawKeyDown", "keyUp"):
            await self._session.send("Input.dispatchKeyEvent", {"type": kind, **event})
        assert await self.page.evaluate("heard") == [[key, True]]

    async def commit(self, text: str = WORD) -> None:
        """Finish the word."""
        await self._session.send("Input.insertText", {"text": text})


async def input_method(page: Page) -> InputMethod:
    return InputMethod(page, await page.context.new_cdp_session(page))


async def watched(visitor: Visitor) -> tuple[Page, InputMethod]:
    """The chat of somebody new, and an input method in it."""
    visitor.prepare(lambda page: page.add_init_script(WATCH))
    page = await visitor.arrive()
    return page, await input_method(page)


def box(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


async def test_enter_takes_a_word_and_does_not_send(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["Sent"]))
    page, writer = await watched(visitor)
    await box(page).focus()
    await writer.compose()
    await writer.press("Enter")
    await expect(page.get_by_role("heading", name="Good ")).to_be_visible()
    await expect(box(page)).to_have_value(WORD)
    await writer.commit()
    await box(page).press("Enter")
    await expect(thread(page)).to_contain_text("Sent")
    await expect(box(page)).to_have_value("")


async def test_escape_drops_a_word_and_does_not_stop(visitor: Visitor, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(words=["One ", "two"], gates={1: gate}))
    page, writer = await watched(visitor)
    await say(page, "Count")
    await expect(thread(page)).to_contain_text("One")
    await box(page).focus()
    await writer.compose()
    await writer.press("Escape")
    gate.open()
    await expect(thread(page)).to_contain_text("One two")
    await expect(thread(page)).not_to_contain_text("Stopped")


async def test_escape_leaves_the_palette_open(visitor: Visitor) -> None:
    page, writer = await watched(visitor)
    await search(page, "pear")
    await writer.compose()
    await writer.press("Escape")
    await expect(field(page)).to_have_value("pear" + WORD)
    await expect(palette(page)).to_be_visible()
    await writer.commit()
    await field(page).press("Escape")
    await expect(palette(page)).to_be_hidden()


async def test_a_title_is_neither_saved_nor_given_up(visitor: Visitor, provider: Provider) -> None:
    page, writer = await watched(visitor)
    await say(page, "Pears")
    await expect(page.locator("#title")).to_have_text("Pears")
    await page.get_by_role("button", name="Options of this chat").click()
    await page.get_by_role("menuitem", name="Rename").click()
    field = page.get_by_label("New title")
    for key in ("Enter", "Escape"):
        await field.fill("")
        await writer.compose()
        await writer.press(key)
        await expect(field).to_have_value(WORD)
    await writer.commit()
    await field.press("Enter")
    await expect(page.locator("#title")).to_have_text(WORD)


async def test_a_key_that_ended_a_composition_does_not_send(visitor: Visitor) -> None:
    """Safari's order: the composition ends first, and the key that ended it comes then, with the code 229."""
    page, _ = await watched(visitor)
    await box(page).fill(WORD)
    await box(page).evaluate(
        "(box) => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))"
    )
    await expect(box(page)).to_have_value(WORD)
    await box(page).press("Shift+Enter")
    await expect(box(page)).to_have_value(WORD + "\n")


async def test_a_message_being_edited_is_neither_sent_nor_left(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(words=["One"]), Answer(words=["Two"]))
    page, writer = await watched(visitor)
    await say(page, "Hello")
    await expect(thread(page)).to_contain_text("One")
    await thread(page).get_by_role("button", name="Edit").click()
    editor = page.get_by_label("Edit your message")
    await editor.fill("")
    for key in ("Enter", "Escape"):
        await writer.compose()
        await writer.press(key)
        await expect(editor).to_have_value(WORD)
    await writer.commit()
    await editor.press("Enter")
    await expect(thread(page)).to_contain_text("Two")
    await expect(thread(page).locator(".bubble")).to_have_text([WORD])
