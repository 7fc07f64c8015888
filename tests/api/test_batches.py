"""A JSON-RPC batch: each member as if sent alone, one array of answers, within the limits of single requests."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import override_settings

from sessions_app import database
from sessions_app.api import batches
from sessions_app.api import limits as limits_module
from sessions_app.api.limits import Limits
from sessions_app.models import ApiToken, ChatSession
from tests.api.client import Client
from tests.api.conftest import Connect


@pytest.fixture
def limits() -> Limits:
    """Those of a process in which no time passes."""
    return Limits(lambda: 1_000.0)


def request(request_id: Any, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def notification(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def codes(answers: list[dict[str, Any]]) -> list[Any]:
    """Each answer's id with its error's code, or with None."""
    return [(answer["id"], answer.get("error", {}).get("code")) for answer in answers]


async def create(client: Client) -> str:
    session_id: str = (await client.call("session.create"))["session"]["id"]
    return session_id


async def test_every_member_is_answered_in_one_array(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    answers = await client.batch(
        request("a", "session.create", title="One"),
        request("b", "session.nothing"),
        request("c", "session.open", session_id=str(uuid4())),
        request("d", "session.list", limit="many"),
        {"jsonrpc": "1.0", "id": "e", "method": "session.list"},
        notification("session.create", title="Two"),
        request("f", "account.usage"),
    )
    expected = [("a", None), ("b", -32601), ("c", -32001), ("d", -32602), ("e", -32600), ("f", None)]
    assert codes(answers) == expected
    titles = {session["title"] for session in (await client.call("session.list"))["sessions"]}
    assert titles == {"One", "Two"}


async def test_members_that_are_no_requests_are_each_answered(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await client.send("[1, [], null]")
    assert codes(await client.batch_answer()) == [(None, -32600)] * 3


async def test_an_empty_batch_is_answered_by_one_error(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    assert (await client.raw("[]")).code == -32600


async def test_too_many_members_are_refused_and_none_is_carried_out(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    refusal = await client.raw(json.dumps([notification("session.create")] * 65))
    assert (refusal.code, refusal.data) == (-32002, {"limit": 64})
    assert await database.read(ChatSession.objects.count) == 0


async def test_notifications_alone_are_answered_by_nothing(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await client.send(json.dumps([notification("session.create", title="Quiet"), notification("session.nothing")]))
    assert await client.fact("session.created")
    assert codes(await client.batch(request(1, "session.list"))) == [(1, None)]


async def test_members_of_one_session_keep_their_order(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await create(client)
    titles = [f"Title {number}" for number in range(20)]
    answers = await client.batch(
        *(request(f"{n:02}", "session.update", session_id=session_id, title=title) for n, title in enumerate(titles))
    )
    assert [answer["result"]["session"]["title"] for answer in answers] == titles
    assert (await client.call("session.open", session_id=session_id))["session"]["title"] == titles[-1]


async def test_what_a_batch_causes_comes_after_its_answers(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await create(client)
    client.events.clear()
    answers = await client.batch(
        request(1, "session.open", session_id=session_id),
        request(2, "turn.start", session_id=session_id, text="Calculate 6*7"),
        request(3, "session.list"),
    )
    assert [event for event in client.events if event["event"].get("name") == "turn.began"] == []
    await client.run_ends(answers[1]["result"]["run_id"])
    messages = (await client.call("session.open", session_id=session_id))["messages"]
    assert messages[0]["text"] == "Calculate 6*7"
    assert "42" in messages[-1]["text"]


async def test_each_member_counts_against_the_rate(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_module, "BURST", 3)
    client = await connect(owner)
    answers = await client.batch(*(request(number, "session.create") for number in range(5)))
    assert codes(answers) == [(0, None), (1, None), (2, None), (3, -32003), (4, -32003)]
    assert answers[4]["error"]["data"] == {"retry_after": 1}
    assert await database.read(ChatSession.objects.count) == 3


async def test_answers_that_are_too_large_refuse_the_rest(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ANSWERS", 100)
    client = await connect(owner)
    answers = await client.batch(*(request(number, "session.create") for number in range(4)))
    assert codes(answers) == [(0, None), (1, -32003), (2, -32003), (3, -32003)]
    assert await database.read(ChatSession.objects.count) == 1
    assert codes(await client.batch(request(1, "session.create"))) == [(1, None)]


@override_settings(HERMES_MAX_TEXT=10)
async def test_a_text_is_as_long_in_a_batch_as_alone(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await create(client)
    answers = await client.batch(
        request(1, "turn.start", session_id=session_id, text="x" * 11), request(2, "session.list")
    )
    assert codes(answers) == [(1, -32002), (2, None)]


async def test_a_batch_of_a_revoked_token_closes_the_connection(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await database.write(ApiToken.objects.all().delete)
    await client.send(json.dumps([request(1, "session.create"), request(2, "session.list")]))
    assert await client.closed() == 4401
    assert await database.read(ChatSession.objects.count) == 0


async def test_a_batch_that_changes_is_carried_out_though_its_client_goes(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    await client.send(json.dumps([request(number, "session.create") for number in range(5)]))
    await client.leave()
    assert await database.read(ChatSession.objects.count) == 5
