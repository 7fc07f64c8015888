"""The session methods: create, list, update, read, close, delete."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from hypothesis import given
from hypothesis import strategies as st

from sessions_app import database
from sessions_app.models import AgentProfile, Branch, ChatSession
from sessions_app.session_store.chats import Cursor
from tests.api.client import Client
from tests.api.conftest import Connect
from tests.api.rows import change, everything, say


async def created(client: Client, title: str = "") -> str:
    session_id: str = (await client.call("session.create", title=title))["session"]["id"]
    return session_id


async def listed(client: Client, **params: Any) -> list[str]:
    """Return the titles of all pages of a list."""
    titles: list[str] = []
    while True:
        page = await client.call("session.list", **params)
        assert len(page["sessions"]) <= params.get("limit", 50)
        titles += [session["title"] for session in page["sessions"]]
        assert len(titles) < 100, "the pages do not end"
        if page["next_cursor"] is None:
            return titles
        params["cursor"] = page["next_cursor"]


def as_cursor(plain: Any) -> str:
    """Return a value in the form of a cursor."""
    return urlsafe_b64encode(json.dumps(plain).encode()).decode()


async def test_a_created_session_is_answered_and_told_to_all_connections(connect: Connect, owner: AbstractUser) -> None:
    first, second = await connect(owner), await connect(owner)
    session = (await first.call("session.create", title="  Plans  "))["session"]
    assert session["title"] == "Plans"
    assert (session["message_count"], session["revision"]) == (0, 0)
    assert (session["archived"], session["pinned"]) == (False, False)
    assert await first.fact("session.created") == session
    assert await second.fact("session.created") == session
    assert await second.call("session.list") == {
        "sessions": [session],
        "running": [],
        "next_cursor": None,
        "cursor": 1,
    }


async def test_a_session_without_a_title_or_with_a_blank_one_has_none(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for params in ({}, {"title": ""}, {"title": "  "}):
        assert (await client.call("session.create", **params))["session"]["title"] == ""


async def test_a_session_keeps_the_prefix_of_its_profile_as_it_was(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    first = await database.read(ChatSession.objects.get, pk=await created(client))
    await database.write(AgentProfile.objects.filter(is_default=True).update, system_prompt="Be brief.")
    second = await database.read(ChatSession.objects.get, pk=await created(client))
    assert "Be brief." not in first.frozen_prefix
    assert "Be brief." in second.frozen_prefix
    assert await database.read(Branch.objects.filter(chat_session=second).get) == Branch(second.active_branch_id)


@pytest.mark.both_databases
async def test_the_newest_activity_comes_first(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    ids = [await created(client, title) for title in "abc"]
    for minutes, session_id in zip((3, 1, 2), ids, strict=True):
        await change(session_id, updated_at=datetime.now(UTC) - timedelta(minutes=minutes))
    assert await listed(client) == ["b", "c", "a"]


@pytest.mark.both_databases
async def test_pages_hold_every_session_once_also_of_one_moment(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    titles = [str(number) for number in range(8)]
    for number, title in enumerate(titles):
        moment = datetime(2026, 1, 1, microsecond=(0, 500_000, 123_456)[number % 3], tzinfo=UTC)
        await change(await created(client, title), updated_at=moment)
    for limit in (1, 2, 3, 7, 8, 200):
        assert sorted(await listed(client, limit=limit)) == titles


@pytest.mark.both_databases
async def test_rows_that_change_between_pages_are_neither_lost_nor_doubled(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    ids = {title: await created(client, title) for title in "abcdef"}
    now = datetime.now(UTC)
    for age, session_id in enumerate(ids.values()):
        await change(session_id, updated_at=now - timedelta(minutes=1 + age))
    first = await client.call("session.list", limit=2)
    assert [session["title"] for session in first["sessions"]] == ["a", "b"]
    await client.call("session.delete", session_id=ids["b"])  # the row that the cursor names
    await change(ids["a"], updated_at=now)  # already seen, now newer
    await change(ids["e"], updated_at=now)  # not seen, now before the cursor: it is news, told by an event
    await created(client, "new")
    assert await listed(client, limit=2, cursor=first["next_cursor"]) == ["c", "d", "f"]


async def test_archived_sessions_are_listed_only_when_asked_for(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for title in ("kept", "put away"):
        await client.call("session.update", session_id=await created(client, title), archived=title == "put away")
    assert await listed(client) == ["kept"]
    assert await listed(client, archived=False) == ["kept"]
    assert await listed(client, archived=True) == ["put away"]


@pytest.mark.both_databases
async def test_a_query_is_a_literal_substring_of_the_title(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for title in (
        "Travel plans",
        "ПРИВЕТ, мир",
        "Страна",
        "今天",
        "100% sure",
        "snake_case",
        "back\\slash",
        "Straße",
        "Café",
    ):
        await created(client, title)
    for query, titles in (
        ("PLAN", ["Travel plans"]),
        ("привет", ["ПРИВЕТ, мир"]),
        ("стра", ["Страна"]),
        ("天", ["今天"]),
        ("%", ["100% sure"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("STRASSE", ["Straße"]),
        ("stra\N{FULLWIDTH LATIN SMALL LETTER S}se", ["Straße"]),
        ("cafe\u0301", ["Café"]),
        ("cafe", []),
        ("nothing", []),
        (" ", ["100% sure", "Travel plans", "ПРИВЕТ, мир"]),
    ):
        assert sorted(await listed(client, query=query)) == titles
        assert sorted(await listed(client, query=query, limit=1)) == titles


async def test_an_empty_query_and_the_cursor_null_list_everything(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await created(client, "one")
    assert await listed(client, query="", cursor=None) == ["one"]


def test_a_cursor_comes_back_as_it_was() -> None:
    cursor = Cursor(datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC), uuid4())
    assert Cursor.decode(cursor.encode()) == cursor


_PLAIN = st.integers() | st.floats() | st.booleans() | st.none() | st.text() | st.just(uuid4().hex)


@given(st.text(st.characters(max_codepoint=127)) | st.lists(_PLAIN, max_size=3).map(as_cursor))
def test_anything_else_is_no_cursor(text: str) -> None:
    try:
        cursor = Cursor.decode(text)
    except ValueError:
        return
    assert cursor.encode() == text
    assert cursor.updated_at + timedelta(days=1)


async def test_a_cursor_that_we_did_not_make_is_refused(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for plain in (
        [10**30, uuid4().hex],
        [253_402_300_799_999_999, uuid4().hex],
        [-1, uuid4().hex],
        [1.5, uuid4().hex],
        [True, uuid4().hex],
        [1, str(uuid4())],
        [1, uuid4().hex.upper() + " "],
        [1],
        [1, uuid4().hex, 1],
        {"1": 1, "2": 2},
    ):
        assert (await client.refusal("session.list", cursor=as_cursor(plain))).code == -32602, plain


async def test_an_update_changes_what_is_given_and_nothing_else(connect: Connect, owner: AbstractUser) -> None:
    client, other = await connect(owner), await connect(owner)
    before = (await client.call("session.create", title="old"))["session"]
    for changes in ({"title": "new"}, {"archived": True}, {"pinned": True}, {"archived": False, "pinned": False}):
        after = (await client.call("session.update", session_id=before["id"], **changes))["session"]
        assert after == {**before, **changes}
        assert await other.fact("session.updated") == after
        before = after


async def test_an_update_of_nothing_is_answered_and_tells_nothing(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    before = (await client.call("session.create", title="old"))["session"]
    cursor = (await client.call("session.list"))["cursor"]
    assert (await client.call("session.update", session_id=before["id"]))["session"] == before
    assert (await client.call("session.list"))["cursor"] == cursor


async def test_a_refused_update_changes_nothing(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await created(client, "kept")
    before = await everything()
    refusal = await client.refusal("session.update", session_id=session_id, pinned=True, title="\t")
    assert refusal.code == -32602
    assert await everything() == before


@pytest.mark.both_databases
async def test_messages_are_read_in_pages_from_the_end(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await created(client)
    ids = await say(session_id, *"abcde")
    opened = await client.call("session.open", session_id=session_id, limit=2)
    assert [message["text"] for message in opened["messages"]] == ["d", "e"]
    assert (opened["has_more"], opened["run"], opened["queued"]) == (True, None, [])
    assert opened["session"]["message_count"] == 5
    page = await client.call("session.messages", session_id=session_id, before=3, limit=2)
    assert [(message["id"], message["position"]) for message in page["messages"]] == [(ids[1], 1), (ids[2], 2)]
    assert page["has_more"]
    page = await client.call("session.messages", session_id=session_id, before=1, limit=2)
    assert ([message["text"] for message in page["messages"]], page["has_more"]) == (["a"], False)
    page = await client.call("session.messages", session_id=session_id, before=0)
    assert page == {"messages": [], "has_more": False, "has_newer": True}
    page = await client.call("session.messages", session_id=session_id, after=1, limit=2)
    assert ([message["text"] for message in page["messages"]], page["has_newer"]) == (["c", "d"], True)
    page = await client.call("session.messages", session_id=session_id, after=2**63 - 1)
    assert page == {"messages": [], "has_more": True, "has_newer": False}
    page = await client.call("session.messages", session_id=session_id, around=ids[2], limit=3)
    assert [message["text"] for message in page["messages"]] == ["b", "c", "d"]
    assert (await client.refusal("session.messages", session_id=session_id, before=1, after=2)).code == -32602
    assert (await client.refusal("session.messages", session_id=session_id)).code == -32602
    page = await client.call("session.messages", session_id=session_id, before=2**63 - 1)
    assert [message["text"] for message in page["messages"]] == list("abcde")


async def test_fifty_messages_are_the_default(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await created(client)
    await say(session_id, *(str(number) for number in range(60)))
    assert len((await client.call("session.open", session_id=session_id))["messages"]) == 50
    assert len((await client.call("session.messages", session_id=session_id, before=55))["messages"]) == 50


@pytest.mark.both_databases
async def test_a_deleted_session_is_gone_everywhere_and_told(connect: Connect, owner: AbstractUser) -> None:
    client, other = await connect(owner), await connect(owner)
    session_id = await created(client)
    await say(session_id, "words")
    assert await client.call("session.delete", session_id=session_id) == {}
    assert await other.fact("session.deleted") == session_id
    assert await listed(client) == []
    for method, more in (("session.open", {}), ("session.delete", {}), ("session.messages", {"before": 1})):
        assert (await client.refusal(method, session_id=session_id, **more)).code == -32001
    assert not any((await everything()).values())
