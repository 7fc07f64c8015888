"""A user's memory over the API: what is kept, what is refused, who is told, and that it is nobody else's."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.models import Memory, UserMemory
from sessions_app.session_store import memory
from tests.api.client import Client
from tests.api.conftest import Connect


async def texts(client: Client) -> list[str]:
    return [kept["text"] for kept in (await client.call("memory.list"))["memories"]]


async def test_memories_are_kept_as_one_line_each_in_their_order(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    assert await client.call("memory.list") == {"enabled": True, "memories": []}
    first = (await client.call("memory.add", text="  Is called\r\n\u2028 Ada. "))["memory"]
    second = (await client.call("memory.add", text="<b>Eats</b> 'no' meat; 🎈"))["memory"]
    assert (await client.call("memory.list"))["memories"] == [first, second]
    changed = (await client.call("memory.update", memory_id=first["id"], text="Is called Ada Lovelace."))["memory"]
    assert changed == first | {"text": "Is called Ada Lovelace."}
    assert await client.call("memory.delete", memory_id=second["id"]) == {}
    assert await texts(client) == ["Is called Ada Lovelace."]
    assert (await client.refusal("memory.delete", memory_id=second["id"])).code == -32001


@pytest.mark.both_databases
async def test_the_same_memory_again_is_the_one_that_is_there(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    first = await client.call("memory.add", text="Is called Ada.")
    assert await client.call("memory.add", text=" Is  called Ada. ") == first


async def test_a_switch_keeps_the_memories(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await client.call("memory.add", text="Is called Ada.")
    assert (await client.call("memory.switch", enabled=False))["enabled"] is False
    assert (await client.call("memory.list"))["enabled"] is False
    assert await texts(client) == ["Is called Ada."]


async def test_more_than_is_allowed_is_refused(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MAX_MEMORIES", 2)
    monkeypatch.setattr(memory, "MAX_CHARACTERS", 10)
    client = await connect(owner)
    kept = (await client.call("memory.add", text="12345"))["memory"]
    refusal = await client.refusal("memory.add", text="123456")
    assert (refusal.code, refusal.data) == (-32003, {"quota": "memory_text", "used": 5, "limit": 10})
    await client.call("memory.add", text="1234")
    refusal = await client.refusal("memory.add", text="1")
    assert (refusal.code, refusal.data) == (-32003, {"quota": "memories", "used": 2, "limit": 2})
    assert (await client.refusal("memory.update", memory_id=kept["id"], text="1234567")).code == -32003
    await client.call("memory.update", memory_id=kept["id"], text="123456")
    assert await texts(client) == ["123456", "1234"]


@pytest.mark.parametrize(("method", "more"), [("memory.update", {"text": "mine"}), ("memory.delete", {})])
async def test_anothers_memory_is_answered_with_the_bytes_of_a_missing_one(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, method: str, more: dict[str, str]
) -> None:
    client, stranger = await connect(owner), await connect(outsider)
    kept = (await client.call("memory.add", text="Is called Ada."))["memory"]
    foreign = await stranger.refusal(method, memory_id=kept["id"], **more)
    missing = await stranger.refusal(method, memory_id=str(uuid4()), **more)
    assert foreign.code == -32001
    assert foreign.frame.replace('"id":1,', "") == missing.frame.replace('"id":2,', "")
    assert await texts(client) == ["Is called Ada."]
    assert await texts(stranger) == []


async def test_a_change_is_told_to_the_users_connections_alone(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser
) -> None:
    client, other, stranger = await connect(owner), await connect(owner), await connect(outsider)
    await client.call("memory.add", text="Is called Ada.")
    told = await other.event(lambda event: event["event"].get("name") == "memory.updated")
    assert (told["session_id"], told["event"]["value"]) == (None, {"enabled": True, "count": 1})
    missed = (await other.call("events.since", cursor=0))["events"]
    assert [event["event"]["name"] for event in missed] == ["memory.updated"]
    assert (await stranger.call("events.since", cursor=0))["events"] == []


@pytest.mark.both_databases
async def test_a_memory_goes_with_its_account(connect: Connect, owner: AbstractUser) -> None:
    await (await connect(owner)).call("memory.add", text="Is called Ada.")

    def delete() -> tuple[int, int]:
        owner.delete()
        return Memory.objects.count(), UserMemory.objects.count()

    assert await database.write(delete) == (0, 0)


async def test_a_session_may_do_without(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    assert (await client.call("session.create"))["session"]["memory"] is True
    session = (await client.call("session.create", memory=False))["session"]
    assert session["memory"] is False
    changed = await client.call("session.update", session_id=session["id"], memory=True)
    assert changed["session"]["memory"] is True
