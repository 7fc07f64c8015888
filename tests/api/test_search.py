"""session.search: substrings of one's own messages, in any script, whatever the query holds."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.conversations.search import SNIPPET_LENGTH, index
from sessions_app.models import Message
from tests.api.client import Client
from tests.api.conftest import Connect
from tests.api.rows import change, say


async def found(client: Client, query: str, **params: Any) -> list[str]:
    """Return the snippets of what is found."""
    return [hit["snippet"] for hit in (await client.call("session.search", query=query, **params))["hits"]]


async def session_with(client: Client, *texts: str) -> str:
    session_id: str = (await client.call("session.create"))["session"]["id"]
    await say(session_id, *texts)
    return session_id


TEXTS = {
    "latin": "The Quick brown fox",
    "accents": "Crème BRÛLÉE à l'école",
    "cyrillic": "Привет, Мир! Как дела?",
    "greek": "Καλημέρα ΚΌΣΜΕ",
    "chinese": "今天天气很好,我们去公园吧",
    "japanese": "東京タワーへ行きました",
    "thai": "สวัสดีชาวโลก",
    "arabic": "مرحبا بالعالم",
    "hebrew": "שלום עולם",
    "emoji": "ship it 🚀 and 👩‍🚀 too",
    "signs": """100% of "it's" a_b c\\d * (x OR y) NOT z: -w ^v {k} {{t}} %s %(n)s ?1 :p""",
    "lines": "first\nsecond\tthird",
}


QUERIES = [
    ("quick", "latin"),
    ("UICK BRO", "latin"),
    ("x", "latin signs"),
    ("FO", "latin"),
    ("brûlée", "accents"),
    ("ÉCO", "accents"),
    ("À", "accents"),
    ("привет", "cyrillic"),
    ("ИВЕТ, МИ", "cyrillic"),
    ("мИ", "cyrillic"),
    ("Ж", ""),
    ("κόσμε", "greek"),
    ("天气", "chinese"),
    ("气", "chinese"),
    ("我们去", "chinese"),
    ("京タワ", "japanese"),
    ("สดีชาว", "thai"),
    ("بالعا", "arabic"),
    ("ולם", "hebrew"),
    ("🚀", "emoji"),
    ("👩‍🚀", "emoji"),
    ("it 🚀 and", "emoji"),
    ("%", "signs"),
    ("100%", "signs"),
    ("1%0", ""),
    ("a_b", "signs"),
    ("a%b", ""),
    ("_b", "signs"),
    ("axb", ""),
    ('"it', "signs"),
    ('"', "signs"),
    ("it's", "signs"),
    ("'", "accents signs"),
    ("c\\d", "signs"),
    ("\\", "signs"),
    ("x OR y", "signs"),
    ("quick OR privet", ""),
    ("quick AND fox", ""),
    ("NEAR(quick fox)", ""),
    ("text:quick", ""),
    ("qui*", ""),
    ("* (x", "signs"),
    ("^v {k}", "signs"),
    ("%s %(n)s", "signs"),
    ("?1 :p", "signs"),
    ("st\nsec", "lines"),
    ("E\u0301co", "accents"),
    ("Cre", ""),
    ("ﾀﾜｰ", "japanese"),
    ("\N{FULLWIDTH LATIN CAPITAL LETTER Q}uick", "latin"),
]
"""Queries, each with the names of the texts that it finds."""


async def test_a_query_is_a_literal_substring(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await session_with(client, *TEXTS.values())
    told = {query: set(await found(client, query)) for query, _ in QUERIES}
    wanted = {query: {TEXTS[name] for name in names.split()} for query, names in QUERIES}
    assert len(wanted) == len(QUERIES)
    assert told == wanted


async def test_hits_name_the_message_and_come_newest_first(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    first = (await client.call("session.create"))["session"]["id"]
    second = (await client.call("session.create"))["session"]["id"]
    ids = [*await say(first, "needle 1", "hay"), *await say(second, "hay", "needle 2"), *await say(first, "needle 3")]
    places = [(first, ids[4], 2, "needle 3"), (second, ids[3], 1, "needle 2"), (first, ids[0], 0, "needle 1")]
    assert (await client.call("session.search", query="needle"))["hits"] == [
        {"session_id": of, "title": "", "message_id": own, "position": at, "snippet": text, "marks": [[0, 6]]}
        for of, own, at, text in places
    ]
    assert await found(client, "needle", limit=2) == ["needle 3", "needle 2"]
    assert await found(client, "ne", limit=1) == ["needle 3"]


async def test_whole_words_come_before_their_beginnings_and_parts(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    ranked = ["the newest port", "a Port, whole", "ports and harbours", "it was reported"]
    await session_with(client, *ranked[::-1])
    assert await found(client, "port") == ranked
    await database.write(index.catch_up)
    assert await found(client, "port") == ranked
    await session_with(client, "reported today")
    assert await found(client, "port") == [*ranked[:3], "reported today", ranked[3]]
    assert await found(client, "port", limit=1) == ["the newest port"]


async def test_a_snippet_says_no_markdown(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    text = "# Trains\n\n- take the **first** [train](https://example.org/fares)\n"
    await session_with(client, text)
    [hit] = (await client.call("session.search", query="first"))["hits"]
    assert hit["snippet"] == "Trains\ntake the first train"
    assert [hit["snippet"][start:end] for start, end in hit["marks"]] == ["first"]
    # What Markdown does not show is shown as it was written.
    [hit] = (await client.call("session.search", query="example.org/fares"))["hits"]
    assert hit["snippet"] == text
    assert [hit["snippet"][start:end] for start, end in hit["marks"]] == ["example.org/fares"]


@pytest.mark.both_databases
async def test_archived_sessions_are_searched_too(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await change(await session_with(client, "old needle"), archived=True)
    assert await found(client, "needle") == ["old needle"]


def _rewrite(old: str, new: str) -> None:
    Message.objects.filter(text=old).update(text=new)


@pytest.mark.both_databases
async def test_the_index_follows_edits_and_deletions(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await session_with(client, "before")
    await database.write(_rewrite, "before", "afterwards")
    assert (await found(client, "before"), await found(client, "afterwards")) == ([], ["afterwards"])
    await client.call("session.delete", session_id=session_id)
    assert await found(client, "afterwards") == []


@pytest.mark.parametrize("query", ["Nadel", "na"])
async def test_a_snippet_is_short_and_holds_the_hit(connect: Connect, owner: AbstractUser, query: str) -> None:
    client = await connect(owner)
    for before, after in ((0, 0), (0, 5000), (5000, 0), (5000, 5000), (30, 30), (3, 5000)):
        own = await session_with(client, "x" * before + "NADEL" + "y" * after)
        (snippet,) = await found(client, query, session_id=own)
        assert query.casefold() in snippet.casefold()
        assert len(snippet) <= SNIPPET_LENGTH + 2
        assert len(snippet) >= min(SNIPPET_LENGTH, before + 5 + after)
        assert (snippet[0] == "…", snippet[-1] == "…") == (before > 100, after > 100)


async def test_a_hit_of_the_longest_query_is_shown_whole(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await session_with(client, "a" * 300 + "b" * 200 + "c" * 300)
    assert await found(client, "b" * 200) == ["…" + "b" * 200 + "…"]


async def test_a_snippet_shows_the_stored_letters(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await session_with(client, "x" * 500 + "STRAẞE, ｶﾞｽ" + "y" * 500)
    for query in ("straße", "ガス"):
        (snippet,) = await found(client, query)
        assert "STRAẞE, ｶﾞｽ" in snippet
        assert len(snippet) == SNIPPET_LENGTH + 2


async def test_every_place_in_a_snippet_is_marked(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await session_with(client, "Ship it: a SHIP, ﬁne ships")
    [hit] = (await client.call("session.search", query="ship"))["hits"]
    assert [hit["snippet"][start:end] for start, end in hit["marks"]] == ["Ship", "SHIP", "ship"]
    [hit] = (await client.call("session.search", query="fine"))["hits"]
    assert [hit["snippet"][start:end] for start, end in hit["marks"]] == ["ﬁne"]


async def test_one_session_is_searched_alone(connect: Connect, owner: AbstractUser, outsider: AbstractUser) -> None:
    client = await connect(owner)
    first = await session_with(client, "apples", "pears")
    await session_with(client, "apples too")
    await database.write(index.catch_up)
    await say(first, "more apples")
    assert await found(client, "apples", session_id=first) == ["more apples", "apples"]
    assert len(await found(client, "apples")) == 3
    assert (await (await connect(outsider)).refusal("session.search", query="apples", session_id=first)).code == -32001
