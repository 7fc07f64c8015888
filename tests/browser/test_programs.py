"""Chats of a user's programs on the page: a call of a program's own tool waits, and is answered.

Thorough: the suite asks it of the page without a browser (tests/page/parts.test.js).
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai import OpenAI
from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, thread
from tests.openai_api.conftest import conversation
from tests.openai_api.weather import ask, asks, run_tools
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

WAITS = "It waits for the program that brought this tool."


def program_of(visitor: Visitor) -> OpenAI:
    """A program of the visitor's."""
    return OpenAI(base_url=f"{visitor.site.base_url}/v1", api_key=visitor.site.tokens[visitor.name], max_retries=0)


async def begun(visitor: Visitor, provider: Provider, *calls: Call) -> tuple[Page, OpenAI, list[Any]]:
    """The page of a chat whose program was asked to use its tool."""
    page, program = await visitor.arrive(), program_of(visitor)
    messages: list[Any] = conversation("How is the weather in Bonn?")
    provider.script(Answer(words=["Let me ask."], calls=[*calls]))
    await asyncio.to_thread(ask, program, messages)
    await page.locator("#sessions").get_by_role("link", name="How is the weather").click()
    await expect(thread(page)).to_contain_text("Let me ask.")
    return page, program, messages


@pytest.mark.thorough
async def test_a_call_waits_until_its_program_answers(visitor: Visitor, provider: Provider) -> None:
    page, program, messages = await begun(visitor, provider, asks("Bonn"))
    step = thread(page).locator("details.step")
    await expect(step).to_contain_text("Waits for weather")
    await expect(step.get_by_text(WAITS)).to_be_visible()
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    run_tools(messages)
    provider.script(Answer(words=["It is ", "sunny."]))
    await asyncio.to_thread(ask, program, messages)
    for _ in range(2):
        await expect(thread(page)).to_contain_text("It is sunny.")
        await expect(step).to_have_count(1)
        await expect(step).to_contain_text("Used weather")
        await expect(step).to_contain_text("sunny in Bonn")
        await page.reload()
    program.close()
