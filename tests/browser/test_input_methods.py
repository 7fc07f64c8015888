"""Enter and Escape while an input method composes: they are its own.

No listener of the page hears them (js/ime.js), so a field or two stand for all.
"""

from __future__ import annotations

from playwright.async_api import CDPSession, Locator, Page, expect

from tests.browser.conftest import Visitor, thread
from tests.browser.searching import field, palette, search
from tests.browser.stories import new_chat, walk
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

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


def box(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


async def enter_takes_a_word_and_does_not_send(page: Page, writer: InputMethod, provider: Provider) -> None:
    provider.script(Answer(words=["Sent"]))
    await box(page).focus()
    await writer.compose()
    await writer.press("Enter")
    await expect(page.get_by_role("heading", name="Good ")).to_be_visible()
    await expect(box(page)).to_have_value(WORD)
    await writer.commit()
    await box(page).press("Enter")
    await expect(thread(page)).to_contain_text("Sent")
    await expect(box(page)).to_have_value("")


async def escape_leaves_the_palette_open(page: Page, writer: InputMethod, provider: Provider) -> None:
    await search(page, "pear")
    await writer.compose()
    await writer.press("Escape")
    await expect(field(page)).to_have_value("pear" + WORD)
    await expect(palette(page)).to_be_visible()
    await writer.commit()
    await field(page).press("Escape")
    await expect(palette(page)).to_be_hidden()


async def a_key_that_ended_a_composition_does_not_send(page: Page, writer: InputMethod, provider: Provider) -> None:
    """Safari's order: the composition ends first, and the key that ended it comes then, with the code 229."""
    await box(page).fill(WORD)
    await box(page).evaluate(
        "(box) => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))"
    )
    await expect(box(page)).to_have_value(WORD)
    await box(page).press("Shift+Enter")
    await expect(box(page)).to_have_value(WORD + "\n")


async def test_the_keys_of_an_input_method_are_its_own(visitor: Visitor, provider: Provider) -> None:
    visitor.prepare(lambda page: page.add_init_script(WATCH))
    page = await visitor.arrive()
    writer = await input_method(page)
    for step in (
        enter_takes_a_word_and_does_not_send,
        escape_leaves_the_palette_open,
        a_key_that_ended_a_composition_does_not_send,
    ):
        await new_chat(page)
        await walk((step,), page, writer, provider)
