"""What a token may do that was limited when it was made: only read, or only the chats of one profile."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.api.examples import EXAMPLES
from sessions_app.api.methods import METHODS
from sessions_app.conversations.search import index
from sessions_app.models import AgentProfile, ApiToken
from sessions_app.session_store import removal
from tests.api.client import Client, RpcError
from tests.api.conftest import Connect
from tests.api.rows import everything, say
from tests.api.test_doors import NAMING, NAMING_A_MESSAGE, assert_hidden

FORBIDDEN = -32005
# The methods that name neither a session nor a message: each is tried below by a token of one profile.
NAMING_NOTHING = {
    *("session.create", "session.list", "profile.list", "events.since", "account.usage", "markdown.render"),
    "account.features",
    "share.revoke",
    *("memory.list", "memory.add", "memory.update", "memory.delete", "memory.switch", "rpc.discover"),
}
OF_ACCOUNT = {name for name, method in METHODS.items() if method.of_account}


async def by_token(connect: Connect, user: AbstractUser, **limits: Any) -> Client:
    """Connect by a new token of a user that is limited so."""
    _, clear_text = await database.write(ApiToken.issue, user, **limits)
    return await connect(headers=[(b"authorization", f"Bearer {clear_text}".encode())])


async def code_of(client: Client, method: str, **params: Any) -> int | None:
    """Return the code of the error that a request is answered with; None where it is none."""
    try:
        await client.call(method, **params)
    except RpcError as error:
        return error.code
    return None


@pytest.fixture
async def profiles(owner: AbstractUser) -> tuple[AgentProfile, AgentProfile]:
    """The default profile, and another."""

    def made() -> tuple[AgentProfile, AgentProfile]:
        return AgentProfile.default(), AgentProfile.objects.create(name="Narrow", model="demo")

    return await database.write(made)


async def test_a_token_that_only_reads_is_refused_what_changes(connect: Connect, owner: AbstractUser) -> None:
    client = await by_token(connect, owner, reads_only=True)
    before = await everything()
    for method in METHODS:
        code = await code_of(client, method, **EXAMPLES[method].params)
        assert (code == FORBIDDEN) is METHODS[method].changes, method
        assert await everything() == before, method


async def test_a_token_that_only_reads_is_told_what_is_wrong_with_a_request_first(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await by_token(connect, owner, reads_only=True)
    assert await code_of(client, "session.delete", session_id="none") == -32602


async def test_a_token_that_only_reads_and_has_ended_closes_the_connection(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await by_token(connect, owner, reads_only=True)
    await database.write(lambda: ApiToken.objects.all().delete())
    await client.notify("session.create")
    assert await client.closed() == 4401


async def test_a_token_that_only_reads_hears_what_happens(connect: Connect, owner: AbstractUser) -> None:
    reader, writer = await by_token(connect, owner, reads_only=True), await connect(owner)
    session = (await writer.call("session.create", title="new"))["session"]
    assert (await reader.fact("session.created"))["id"] == session["id"]
    await reader.call("session.open", session_id=session["id"])
    started = await writer.call("turn.start", session_id=session["id"], text="hello")
    assert (await reader.run_ends(started["run_id"]))["type"] == "RUN_FINISHED"


async def test_a_foreign_change_is_told_to_who_only_reads(connect: Connect, owner: AbstractUser) -> None:
    reader, writer = await by_token(connect, owner, reads_only=True), await connect(owner)
    session_id = (await writer.call("session.create"))["session"]["id"]
    await say(session_id, "written by another program")
    events = (await reader.call("events.since", cursor=0))["events"]
    assert "transcript.changed" in [event["event"]["name"] for event in events]


def test_every_method_is_tried_by_a_token_of_one_profile() -> None:
    assert METHODS.keys() == NAMING.keys() | NAMING_A_MESSAGE.keys() | NAMING_NOTHING


async def test_what_is_of_another_profile_is_answered_like_what_is_missing(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    session_id = (await (await connect(owner)).call("session.create"))["session"]["id"]
    [message] = await say(session_id, "private words")
    client = await by_token(connect, owner, profile=profiles[1])
    await assert_hidden(client, session_id, message, but=OF_ACCOUNT)


async def test_memory_is_not_for_a_token_of_one_profile(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    client = await by_token(connect, owner, profile=profiles[1])
    codes = {method: await code_of(client, method, **EXAMPLES[method].params) for method in OF_ACCOUNT}
    assert codes == dict.fromkeys(OF_ACCOUNT, FORBIDDEN)


async def test_a_token_of_one_profile_chooses_that_alone(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    default, narrow = profiles
    client = await by_token(connect, owner, profile=narrow)
    assert [each["name"] for each in (await client.call("profile.list"))["profiles"]] == ["Narrow"]
    session = (await client.call("session.create"))["session"]
    assert session["profile"] == narrow.pk
    assert await code_of(client, "session.create", profile=default.pk) == -32001
    assert await code_of(client, "session.update", session_id=session["id"], profile=default.pk) == -32001
    await say(session["id"], "answer this")
    regenerated = {"session_id": session["id"], "profile": default.pk}
    assert await code_of(client, "turn.regenerate", **regenerated) == -32001


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
async def test_lists_and_searches_hold_the_chats_of_the_tokens_profile(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    user, client = await connect(owner), await by_token(connect, owner, profile=profiles[1])
    hidden = (await user.call("session.create", title="common title"))["session"]["id"]
    shown = (await client.call("session.create", title="common title"))["session"]["id"]
    for session_id in (hidden, shown):
        await say(session_id, "common words")
    for _ in range(2):  # before and after the index has the messages
        assert [each["id"] for each in (await client.call("session.list", query="common"))["sessions"]] == [shown]
        hits = (await client.call("session.search", query="common words"))["hits"]
        assert [hit["session_id"] for hit in hits] == [shown]
        assert len((await user.call("session.search", query="common words"))["hits"]) == 2
        while await database.read(index.waiting):
            await database.write(index.catch_up)


async def test_facts_of_other_chats_have_a_cursor_and_no_value(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    user, client = await connect(owner), await by_token(connect, owner, profile=profiles[1])
    hidden = (await user.call("session.create", title="private title"))["session"]["id"]
    started = await user.call("turn.start", session_id=hidden, text="private words")
    await user.call("session.open", session_id=hidden)
    await user.run_ends(started["run_id"])
    await user.call("memory.add", text="private memory")
    mine = (await client.call("session.create", title="mine"))["session"]["id"]
    last = await client.event(lambda params: params["session_id"] == mine)
    missed = (await client.call("events.since", cursor=0, limit=200))["events"]
    assert [event["cursor"] for event in missed] == list(range(1, last["cursor"] + 1))
    assert {event["event"]["value"] for event in missed if event["session_id"] != mine} == {None}
    assert last["event"]["value"]["title"] == "mine"


async def test_what_is_told_live_is_what_events_since_tells(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    user, client = await connect(owner), await by_token(connect, owner, profile=profiles[1])
    await user.call("session.create", title="private title")
    session_id = (await client.call("session.create"))["session"]["id"]
    await client.call("session.open", session_id=session_id)
    started = await client.call("turn.start", session_id=session_id, text="hello")
    told: list[dict[str, Any]] = []
    while not told or told[-1]["event"]["type"] != "RUN_FINISHED":
        told.append(await client.event(lambda params: True))
    runs = [event["seq"] for event in told if event["run_id"] == started["run_id"]]
    assert runs == list(range(1, len(runs) + 1))
    facts = [event for event in told if "cursor" in event]
    missed = (await client.call("events.since", cursor=facts[0]["cursor"] - 1, limit=200))["events"]
    assert [event["cursor"] for event in facts] == [event["cursor"] for event in missed[: len(facts)]]
    assert "private" not in str(told)


async def test_a_chat_that_gets_another_profile_is_closed(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    user, client = await connect(owner), await by_token(connect, owner, profile=profiles[1])
    session_id = (await client.call("session.create"))["session"]["id"]
    await client.call("session.open", session_id=session_id)
    await user.call("session.update", session_id=session_id, profile=profiles[0].pk)
    assert await client.fact("session.created")
    assert await client.fact("session.updated") is None
    started = await user.call("turn.start", session_id=session_id, text="private words")
    await user.call("session.open", session_id=session_id)
    await user.run_ends(started["run_id"])
    mine = (await client.call("session.create"))["session"]["id"]
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["session_id"] != mine:
        seen.append(await client.event(lambda params: True))
    assert [event["run_id"] for event in seen if event["run_id"]] == []
    assert {event["event"]["value"] for event in seen if event["session_id"] == session_id} == {None}
    assert await code_of(client, "session.open", session_id=session_id) == -32001


async def test_a_token_ends_with_its_profile(
    connect: Connect, owner: AbstractUser, profiles: tuple[AgentProfile, AgentProfile]
) -> None:
    client = await by_token(connect, owner, profile=profiles[1])
    await database.write(removal.remove, profiles[1])
    await client.notify("session.list")
    assert await client.closed() == 4401
