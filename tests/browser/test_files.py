"""Files as people add them: by the button, pasted, dropped; seen before they are sent, and in the message after."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.stories import new_chat, walk
from tests.extraction import samples
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

PICTURE = samples.picture("PNG", (600, 400))
LETTER = b"A letter about apples.\n" * 30

_CLIPBOARD = """
([kind, files]) => {
  const held = new DataTransfer();
  for (const [name, type, content] of files) {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    held.items.add(new File([bytes], name, { type }));
  }
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { ...options, clipboardData: held })
    : new DragEvent(kind, { ...options, dataTransfer: held });
  document.querySelector("#text").dispatchEvent(event);
}
"""


def payload(name: str, media_type: str, content: bytes) -> Any:
    return {"name": name, "mimeType": media_type, "buffer": content}


async def pick(page: Page, *files: Any) -> None:
    """Choose files as the button's dialogue gives them."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Add files").click()
    await (await chooser.value).set_files(list(files))


async def put(page: Page, kind: str, *files: tuple[str, str, bytes]) -> None:
    """Paste or drop files."""
    encoded = [[name, media_type, base64.b64encode(content).decode()] for name, media_type, content in files]
    await page.evaluate(_CLIPBOARD, [kind, encoded])


async def files_are_picked_seen_sent_and_shown(page: Page, provider: Provider) -> None:
    provider.script(Answer(words=["I see."]))
    await pick(page, payload("chart.png", "image/png", PICTURE), payload("letter.txt", "text/plain", LETTER))
    waiting = page.get_by_role("list", name="Files to be sent")
    await expect(waiting.get_by_role("img", name="chart.png")).to_be_visible()
    await expect(waiting.get_by_role("listitem")).to_have_count(2)
    await say(page, "What do you see?")
    await expect(thread(page)).to_contain_text("I see.")
    await expect(waiting).to_be_hidden()
    sent = thread(page).get_by_role("list", name="Files")
    await expect(sent.get_by_role("img", name="chart.png")).to_be_visible()
    await expect(sent.get_by_role("link", name="letter.txt")).to_have_attribute("download", "letter.txt")
    body = json.dumps(provider.requests[-1].json)
    assert "data:image/png;base64," in body
    assert "A letter about apples." in body
    await page.reload()
    loaded = "image => image.decode().then(() => image.naturalWidth)"
    assert await sent.get_by_role("img", name="chart.png").evaluate(loaded) == 320


async def files_are_pasted_and_dropped(page: Page, provider: Provider) -> None:
    await put(page, "paste", ("pasted.png", "image/png", PICTURE))
    await put(page, "drop", ("dropped.txt", "text/plain", LETTER), ("other.csv", "text/csv", b"a,b\n1,2\n"))
    waiting = page.get_by_role("list", name="Files to be sent")
    for name in ("pasted.png", "dropped.txt", "other.csv"):
        await expect(waiting.get_by_text(name)).to_be_visible()
    for left, name in ((2, "dropped.txt"), (1, "other.csv"), (0, "pasted.png")):
        await page.get_by_role("button", name=f"Remove {name}").click()
        await expect(waiting.get_by_role("listitem")).to_have_count(left)


async def a_message_may_be_a_picture_alone(page: Page, provider: Provider) -> None:
    provider.script(Answer(words=["A picture."]))
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    await pick(page, payload("chart.png", "image/png", PICTURE))
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(thread(page)).to_contain_text("A picture.")
    await expect(page.locator("#title")).to_have_text("chart.png")


async def be_a_phone(page: Page) -> None:
    """What Playwright asks of a browser for a phone; of a page alone it does not ask it."""
    devtools = await page.context.new_cdp_session(page)
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    await devtools.send("Emulation.setDeviceMetricsOverride", screen)
    await devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})


@pytest.mark.thorough
async def test_a_phone_offers_its_camera(visitor: Visitor) -> None:
    visitor.prepare(be_a_phone)
    phone = await visitor.arrive()
    await phone.get_by_role("button", name="Add files").click()
    async with phone.expect_file_chooser() as opened:
        await phone.get_by_role("menuitem", name="Take a picture").click()
    chooser = await opened.value
    assert await chooser.element.get_attribute("capture") == "environment"
    await chooser.set_files([payload("photo.png", "image/png", PICTURE)])
    await expect(phone.locator("#attachments img")).to_be_visible()


async def a_file_that_cannot_be_read_says_so_there(page: Page, provider: Provider) -> None:
    await pick(page, payload("locked.pdf", "application/pdf", samples.encrypted_pdf()))
    waiting = page.get_by_role("list", name="Files to be sent")
    await expect(waiting.get_by_role("alert")).to_contain_text("protected by a password")
    await page.get_by_label("Message", exact=True).fill("Read this")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    await page.get_by_role("button", name="Remove locked.pdf").click()
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    await page.get_by_label("Message", exact=True).fill("")


async def test_files_are_added_and_sent(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    for step in (files_are_picked_seen_sent_and_shown, a_file_that_cannot_be_read_says_so_there):
        await new_chat(page)
        await walk((step,), page, provider)


@pytest.mark.thorough
async def test_files_come_by_other_ways(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.arrive()
    for step in (files_are_pasted_and_dropped, a_message_may_be_a_picture_alone):
        await new_chat(page)
        await walk((step,), page, provider)
