"""The tool `web_search`, with a server that answers like SearXNG."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio

from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.tools import web_search as module
from sessions_app.llm.tools.builtin import BuiltinTools
from sessions_app.llm.tools.registry import ToolRegistry
from sessions_app.llm.tools.sources import Context
from sessions_app.llm.tools.web_search import FRAME, NOTHING, web_search
from tests.llm.talking import found, remembers
from tests.outbound.strangers import Server, Writer, answer, redirect, serving

AWAY = "Error: the search server cannot be asked now."
CONTEXT = Context(1, found, remembers)


def searxng(*results: dict[str, Any]) -> bytes:
    """What SearXNG answers, as far as it is used."""
    whole = {"query": "q", "number_of_results": 0, "results": list(results), "answers": [], "suggestions": []}
    return answer(json.dumps(whole).encode(), "application/json")


@pytest_asyncio.fixture
async def server() -> Any:
    async with serving() as server:
        yield server


async def asked(
    server: Server, reply: Any, query: str = "balloons", path: str = "/search?q=balloons&format=json"
) -> str:
    server.replies[path] = reply
    tools = ToolRegistry([BuiltinTools(web_search(f"http://127.0.0.1:{server.port}/"))])
    return (await tools.call(CONTEXT, ToolCall("c", "web_search", json.dumps({"query": query})))).text


async def test_results_are_plain_lines(server: Server) -> None:
    first = {"title": "Balloons\n\nin  space", "url": "https://a.example/", "content": "They\nfly.", "engine": "x"}
    second = {"title": "", "url": "http://b.example/", "content": None}
    told = await asked(server, searxng(first, second))
    assert told == "\n\n".join(
        [
            FRAME,
            "1. Balloons in space\nhttps://a.example/\nThey fly.",
            "2. (without a title)\nhttp://b.example/",
        ]
    )


async def test_results_are_bounded(server: Server) -> None:
    longest = {"title": "t" * 5000, "url": "https://a.example/", "content": "c" * 5000}
    odd = [{"title": "x", "url": url} for url in ("javascript:alert(1)", "", "https://a.example/" + "x" * 600)]
    told = await asked(server, searxng(*odd, *[longest] * 50))
    assert told.count("https://a.example/") == module.MAX_RESULTS
    assert len(told) < module.MAX_RESULTS * 800
    assert "javascript" not in told


async def test_nothing_is_found(server: Server) -> None:
    assert await asked(server, searxng()) == NOTHING


async def test_what_is_looked_for_is_one_bounded_line(server: Server) -> None:
    path = "/search?q=" + "a+" * 199 + "a+&format=json"
    assert await asked(server, searxng(), "a\n" * 1000, path) == NOTHING
    assert await asked(server, searxng(), " \n ") == "Error: there is nothing to look for."


@pytest.mark.parametrize(
    "reply",
    [
        answer(b"<html>no JSON here", status="403 Forbidden"),
        answer(b"<html>no JSON here"),
        answer(b'{"results": 5}', "application/json"),
        answer(b'{"results": [{"url": 5}]}', "application/json"),
        answer(b'{"results": "' + b"x" * 5_000_000 + b'"}', "application/json"),
        redirect("/elsewhere"),
        b"no HTTP",
    ],
)
async def test_a_server_that_does_not_answer_as_it_should(server: Server, reply: bytes) -> None:
    assert await asked(server, reply) == AWAY


async def test_a_server_that_says_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(writer: Writer) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "SECONDS", 0.1)
    assert await asked(server, silent) == AWAY


async def test_a_password_in_the_servers_address_is_sent_and_never_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.replies["/search?q=x&format=json"] = answer(b"", status="401 No")
    tool = web_search(f"http://me:secret@127.0.0.1:{server.port}")
    tools = ToolRegistry([BuiltinTools(tool)])
    assert (await tools.call(CONTEXT, ToolCall("c", "web_search", '{"query": "x"}'))).text == AWAY
    assert "authorization: basic bwu6c2vjcmv0" in server.requests[0].lower()
    assert "HTTPStatusError" in caplog.text
    assert "secret" not in caplog.text + tool.spec.description
