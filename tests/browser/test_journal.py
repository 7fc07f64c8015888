"""The page follows the journal: it is told what happens, and asks for what it missed, not for everything again."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, WebSocket, expect

from tests.browser.conftest import Visitor, say, thread
from tests.browser.searching import options, search
from tests.browser.shell import act
from tests.browser.stories import new_chat, walk
from tests.browser.test_chat import LONG
from tests.live import LiveSite
from tests.peers import peer, token
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

# Milliseconds within which a change by another program is shown (the public contract).
SHOWN_WITHIN = 3_000
REWRITE = "UPDATE sessions_app_message SET text = %s WHERE text = %s AND owner_id = ({owner})"
OWNER = "SELECT id FROM auth_user WHERE username = %s"


@pytest.fixture
def asked(visitor: Visitor) -> list[str]:
    """The methods that the visitor's pages ask for, in order."""
    methods: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: methods.append(json.loads(frame)["method"]))

    async def meet(page: Page) -> None:
        page.on("websocket", listen)

    visitor.prepare(meet)
    return methods


def answers(page: Page) -> Locator:
    """The lines under the answers that are stored."""
    return thread(page).get_by_role("button", name="Details")


def chats(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Chats")


async def rewrite(visitor: Visitor, old: str, new: str) -> None:
    """Change a message's text as another program does."""
    await asyncio.to_thread(visitor.site.database.run, REWRITE.format(owner=OWNER), new, old, visitor.name)


def chat_elsewhere(site: LiveSite, user: str, session_id: str) -> None:
    """Rename a chat, say something in it and something in a new one, from another client; all is answered."""
    with peer(site, **token(site, user)) as client:
        client.call("session.update", session_id=session_id, title="Renamed elsewhere")
        made = client.call("session.create", title="Made elsewhere")["result"]["session"]["id"]
        for place, text in ((session_id, "Asked elsewhere"), (made, "Said in the new one")):
            client.call("turn.start", session_id=place, text=text)
            client.until(lambda frame: _name(frame) == "turn.ended")


def _name(frame: dict[str, Any]) -> str:
    """The name of the fact that a frame tells."""
    return str(frame.get("params", {}).get("event", {}).get("name", ""))


async def a_turn_is_shown_without_fetching_the_chat_again(
    page: Page, visitor: Visitor, provider: Provider, asked: list[str]
) -> None:
    gate = Gate()
    second = Answer(words=["Two ", "**words** here", " and the end"], reasoning=["Hm."], gates={2: gate})
    provider.script(Answer(words=["One"]), second, Answer(status=401))
    await say(page, "first")
    await expect(answers(page)).to_have_count(1)
    asked.clear()
    await say(page, "second")
    await expect(thread(page).locator("strong")).to_have_text("words")
    await page.evaluate(WATCH)
    gate.open()
    await expect(answers(page)).to_have_count(2)
    await expect(thread(page).locator(".prose p").last).to_have_text("Two words here and the end")
    assert not await page.evaluate("window.wasPlain")
    await say(page, "third")
    await expect(thread(page).locator(".note").get_by_role("button", name="Try again")).to_be_visible()
    assert asked.count("turn.start") == 2
    assert not {"session.open", "session.messages", "session.list", "events.since"} & set(asked)


# Notes whether the rendered text is ever away.
WATCH = """() => {
  window.wasPlain = false;
  const look = () => { window.wasPlain ||= !document.querySelector("#thread strong"); };
  new MutationObserver(look).observe(document.getElementById("thread"), { childList: true, subtree: true });
}"""


async def a_change_by_another_program_is_shown(
    page: Page, visitor: Visitor, provider: Provider, asked: list[str]
) -> None:
    provider.script(Answer(words=["As it **was**"]))
    await say(page, "Hello")
    await expect(answers(page)).to_have_count(1)
    box = page.get_by_label("Message", exact=True)
    await box.fill("A draft")
    await rewrite(visitor, "As it **was**", "As it **is**")
    await expect(thread(page).locator("strong")).to_have_text("is", timeout=SHOWN_WITHIN)
    await expect(box).to_have_value("A draft")
    await expect(box).to_be_focused()
    await box.fill("")


async def a_page_that_was_offline_asks_for_what_it_missed(
    page: Page, visitor: Visitor, provider: Provider, asked: list[str]
) -> None:
    provider.script(Answer(words=["Here"]), Answer(words=["Answered elsewhere"]), Answer(words=["In the new one"]))
    await say(page, "Hello")
    await expect(answers(page)).to_have_count(1)
    await visitor.context.set_offline(True)
    await expect(page.locator("#connection")).to_contain_text("offline")
    asked.clear()
    session_id = page.url.partition("chat=")[2]
    await asyncio.to_thread(chat_elsewhere, visitor.site, visitor.name, session_id)
    await visitor.context.set_offline(False)
    await expect(chats(page)).to_contain_text("Made elsewhere")
    await expect(page.locator("#title")).to_have_text("Renamed elsewhere")
    await expect(answers(page)).to_have_count(2)
    for text in ("Asked elsewhere", "Answered elsewhere"):
        await expect(thread(page).get_by_text(text, exact=True)).to_have_count(1)
    assert "events.since" in asked
    assert "session.list" not in asked
    asked.clear()
    await chats(page).get_by_text("Made elsewhere").click()
    await expect(thread(page)).to_contain_text("In the new one")
    assert "session.list" not in asked


async def test_what_happens_is_told_and_not_fetched(visitor: Visitor, provider: Provider, asked: list[str]) -> None:
    page = await visitor.arrive()
    for step in (
        a_turn_is_shown_without_fetching_the_chat_again,
        a_change_by_another_program_is_shown,
        a_page_that_was_offline_asks_for_what_it_missed,
    ):
        await new_chat(page)
        await walk((step,), page, visitor, provider, asked)


RESTS = """element => new Promise((done) => {
  let place, frames = 0;
  const look = () => {
    const now = element.getBoundingClientRect().y;
    frames = now === place ? frames + 1 : 0;
    place = now;
    frames < 30 ? requestAnimationFrame(look) : done(now);
  };
  look();
})"""


async def resting_place(element: Locator) -> float:
    """Pixels from the top of the window, once the element has stayed there for half a second of frames."""
    return float(await element.evaluate(RESTS))


@pytest.mark.thorough
async def test_a_change_in_older_messages_moves_nobody(visitor: Visitor) -> None:
    page = await visitor.arrive()
    await asyncio.to_thread(act, visitor.site, LONG)
    await chats(page).get_by_text("Long one").click()
    await expect(thread(page).get_by_text("message 239", exact=True)).to_be_in_viewport()
    await search(page, "message 20")
    await options(page, "In this chat").filter(has_text=re.compile(r"^\s*message 20\s*$")).click()
    place = thread(page).get_by_text("message 20", exact=True)
    await expect(place).to_be_in_viewport()
    before = await resting_place(place)
    await rewrite(visitor, "message 21", "changed elsewhere")
    await expect(thread(page).get_by_text("changed elsewhere", exact=True)).to_be_in_viewport()
    assert await resting_place(place) == before
    await page.get_by_role("button", name="Jump to latest").click()
    await expect(thread(page).get_by_text("message 239", exact=True)).to_be_in_viewport()
