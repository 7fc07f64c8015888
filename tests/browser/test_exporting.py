"""What is taken along: one chat from its menu, everything from the settings.

The suite asks for exports and imports without a browser: tests/transfer.
"""

from __future__ import annotations

import json
import zipfile

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.stories import walk
from tests.browser.test_settings import settings
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.transfer.others import chatgpt_chat

pytestmark = pytest.mark.thorough


async def a_chat_is_saved_from_its_menu(page: Page) -> None:
    for name, suffix in (("Export as Markdown", ".md"), ("Export as JSON", ".json")):
        await page.get_by_role("button", name="Options of this chat").click()
        async with page.expect_download() as downloading:
            await page.get_by_role("menuitem", name=name).click()
        download = await downloading.value
        assert download.suggested_filename == f"The sea{suffix}"
        text = (await download.path()).read_text()
        assert "To the sea." in text


async def everything_is_exported_from_the_settings(page: Page) -> None:
    dialog = await settings(page)
    await dialog.get_by_role("button", name="Data").click()
    await dialog.get_by_role("button", name="Export everything").click()
    link = dialog.get_by_role("link", name="Download")
    await expect(link).to_be_visible()
    await expect(dialog.get_by_text("1 chat and 0 files")).to_be_visible()
    await page.keyboard.press("Escape")
    dialog = await settings(page)
    await dialog.get_by_role("button", name="Data").click()
    async with page.expect_download() as downloading:
        await link.click()
    download = await downloading.value
    with zipfile.ZipFile(await download.path()) as archive:
        [name] = [each for each in archive.namelist() if each.startswith("sessions/")]
        assert json.loads(archive.read(name))["messages"][0]["text"] == "The sea"
    await page.keyboard.press("Escape")


async def chats_of_another_program_are_imported_in_the_settings(page: Page) -> None:
    dialog = await settings(page)
    await dialog.get_by_role("button", name="Data").click()
    file = dialog.get_by_label("Export to import")
    damaged = {"mapping": 7, "id": "damaged"}
    content = json.dumps([chatgpt_chat(title="From elsewhere", is_archived=False), damaged]).encode()
    await file.set_input_files({"name": "conversations.json", "mimeType": "application/json", "buffer": content})
    await expect(dialog.get_by_text("Taken in: 1 chat, 6 messages, 0 files.")).to_be_visible()
    await dialog.get_by_text("not taken, or not whole").click()
    await expect(dialog.get_by_text("damaged: It is damaged.")).to_be_visible()
    await file.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Hello"})
    await expect(dialog.get_by_text("This is no export that can be read here")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="From elsewhere").click()
    await expect(thread(page)).to_contain_text("Look again")


async def test_chats_are_taken_out_and_brought_in(visitor: Visitor, provider: Provider) -> None:
    provider.script(Answer(["To the sea."]))
    page = await visitor.arrive()
    await say(page, "The sea")
    await expect(thread(page)).to_contain_text("To the sea.")
    await walk(
        (
            a_chat_is_saved_from_its_menu,
            everything_is_exported_from_the_settings,
            chats_of_another_program_are_imported_in_the_settings,
        ),
        page,
    )
