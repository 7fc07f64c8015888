"""A model that searches the web and reads pages, in a turn."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest
import pytest_asyncio
from pytest_django import Settings

from sessions_app import database
from sessions_app.extraction import pages
from sessions_app.llm.tools import web_pages
from sessions_app.models import AgentProfile
from sessions_app.web_pages import process
from tests.llm.test_web_search import searxng
from tests.outbound.strangers import Writer, answer
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, within
from tests.turns.tool_server import decided, waiting
from tests.web_pages.fixtures import Site, site

pytestmark = pytest.mark.one_database

__all__ = ["site"]


def _give_tools() -> None:
    profile = AgentProfile.default()
    profile.tools = ["read_page", "web_search"]
    profile.save()


@pytest_asyncio.fixture
async def host(site: Site, settings: Settings, new_host: NewHost) -> Host:
    """A process whose profile has both tools; its search server is the site."""
    settings.HERMES_SEARCH_URL = f"http://127.0.0.1:{site.port}"
    settings.HERMES_WEB_PAGES = "allowed"
    await database.write(_give_tools)
    return await new_host()


def reading(site: Site) -> Call:
    return Call("read_page", json.dumps({"url": site.url()}))


SEARCHING = Call("web_search", '{"query": "news"}')


async def test_both_tools_are_called_at_once_and_their_results_frozen(
    host: Host, session: NewSession, provider: Provider, site: Site, monkeypatch: pytest.MonkeyPatch, new_host: NewHost
) -> None:
    both = asyncio.Barrier(2)

    async def page(writer: Writer) -> None:
        await both.wait()
        writer.write(answer(b"<title>Site</title><p>The news."))

    async def results(writer: Writer) -> None:
        await both.wait()
        writer.write(searxng({"title": "News", "url": site.url(), "content": "Today"}))

    site.replies |= {"/": page, "/search?q=news&format=json": results}
    provider.script(Answer(calls=[reading(site), SEARCHING]), Answer(["Done."]))
    chat = await session()
    assert (await host.turn(chat, "What is new?")).status == "complete"
    read, searched = [text for role, text, _ in await said(chat) if role == "tool"]
    assert read.endswith("\n<page>\nThe news.\n</page>")
    assert f"1. News\n{site.url()}\nToday" in searched
    sent = provider.requests[-1].body

    # Whatever a release makes of pages later, and wherever the site is gone: in another process too.
    monkeypatch.setattr(web_pages, "FRAME", "Another frame.")
    monkeypatch.setattr(pages, "NOTHING", "Other words.")
    monkeypatch.setattr(process, "COMMAND", [sys.executable, "-c", "raise SystemExit(1)"])
    other = await new_host()
    assert (await other.turn(chat, "Thanks")).status == "complete"
    assert provider.requests[-1].json["messages"][: len(json.loads(sent)["messages"])] == json.loads(sent)["messages"]
    shared = sent[: sent.index(b"</page>")]
    assert provider.requests[-1].body.startswith(shared)


@pytest.mark.thorough
async def test_to_stop_amid_a_page_ends_the_turn_and_the_fetching(
    host: Host, session: NewSession, provider: Provider, site: Site
) -> None:
    asked = asyncio.Event()

    async def dripping(writer: Writer) -> None:
        asked.set()
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    site.replies["/"] = dripping
    provider.script(Answer(["Looking. "], calls=[reading(site)]))
    chat = await session()
    turn = await host.ask(chat)
    await within(asked.wait())
    assert await host.stop(chat)
    assert (await host.listener.end_of(turn.run_id))["event"]["outcome"] == {"type": "cancelled"}
    await within(site.ended.wait())
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "Looking. ", "stopped")]


@pytest.mark.thorough
async def test_what_was_wrong_is_told_to_the_model(
    host: Host, session: NewSession, provider: Provider, site: Site
) -> None:
    private = Call("read_page", '{"url": "http://169.254.169.254/latest/meta-data/"}')
    site.replies |= {"/search?q=news&format=json": answer(b"", status="403 Forbidden")}
    provider.script(Answer(calls=[private, SEARCHING, Call("read_page", "{}")]), Answer(["Done."]))
    chat = await session()
    assert (await host.turn(chat)).status == "complete"
    assert [text for role, text, _ in await said(chat) if role == "tool"] == [
        "Error: the address leads to no public host.",
        "Error: the search server cannot be asked now.",
        "Error: the arguments do not fit: url: Field required",
    ]


async def test_where_pages_are_asked_for_none_is_read_before_a_person_agrees(
    host: Host, session: NewSession, provider: Provider, site: Site, settings: Settings, new_host: NewHost
) -> None:
    settings.HERMES_WEB_PAGES = "ask"
    asking = await new_host()
    site.replies |= {"/": answer(b"<p>The news."), "/search?q=news&format=json": searxng()}
    provider.script(Answer(calls=[reading(site), SEARCHING]), Answer(["Done."]))
    chat = await session()
    await asking.turn(chat)
    [approval] = await waiting(asking, chat)
    assert approval.tool == "read_page"
    # The search needed nobody's word, and has its result.
    assert [request.split(" ")[1] for request in site.requests] == ["/search?q=news&format=json"]
    await decided(asking, chat, {approval.tool_call_id: True})
    assert "The news." in next(text for role, text, _ in await said(chat) if role == "tool" and "<page>" in text)


async def test_a_tool_that_was_switched_off_is_gone_for_chats_that_have_it(
    host: Host, session: NewSession, provider: Provider, site: Site, settings: Settings, new_host: NewHost
) -> None:
    chat = await session()
    settings.HERMES_WEB_PAGES = "off"
    provider.script(Answer(calls=[reading(site)]), Answer(["Done."]))
    restarted = await new_host()
    assert (await restarted.turn(chat)).status == "complete"
    assert ("tool", "Error: there is no tool 'read_page'.", "complete") in await said(chat)
    assert site.requests == []
