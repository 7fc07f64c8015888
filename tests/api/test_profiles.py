"""Profiles: made by a command, listed for whom they are, chosen for a session or for one answer."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser, Group
from django.core.management import CommandError, call_command

from sessions_app import database
from sessions_app.database import plain
from sessions_app.models import AgentProfile, ChatSession, Turn
from sessions_app.session_store import removal
from tests.api.client import Client
from tests.api.conftest import Connect
from tests.api.rows import say
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


def profile(*arguments: str) -> int:
    """Run `manage.py profile`; what it prints is the id."""
    printed = io.StringIO()
    call_command("profile", *arguments, stdout=printed)
    return int(printed.getvalue())


async def made(*arguments: str) -> int:
    return await database.write(profile, *arguments)


@pytest.mark.django_db
def test_the_command_makes_a_profile_and_changes_what_is_given() -> None:
    made = profile("Fast", "--model", "demo", "--description", "Quick answers", "--tools", "calculator")
    assert profile("Fast", "--system-prompt", "Be brief.", "--context", "8000", "--default") == made
    row = AgentProfile.objects.get(pk=made)
    assert (row.model, row.description, row.tools) == ("demo", "Quick answers", ["calculator"])
    assert (row.system_prompt, row.context, row.is_default) == ("Be brief.", 8000, True)
    profile("Other", "--default", "--tools", "")
    assert AgentProfile.objects.get(is_default=True).name == "Other"
    assert AgentProfile.objects.get(name="Other").tools == []
    assert AgentProfile.objects.get(name="Other").memory
    profile("Other", "--no-memory")
    assert not AgentProfile.objects.get(name="Other").memory
    profile("Other", "--description", "Of another kind")
    assert not AgentProfile.objects.get(name="Other").memory
    profile("Other", "--memory")
    assert AgentProfile.objects.get(name="Other").memory


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "nobody:knows"], "--model"),
        (["--tools", "hammer"], "There is no tool 'hammer'"),
        (["--groups", "nobody"], "There is no group 'nobody'"),
        (["--context", "0"], "--context"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        profile("New", *arguments)
    assert not AgentProfile.objects.filter(name="New").exists()


async def turn(client: Client, session_id: str, text: str) -> None:
    """A whole turn."""
    result = await client.call("turn.start", session_id=session_id, text=text)
    await client.run_ends_anywhere(session_id, result["run_id"])


def join(user: AbstractUser, name: str) -> None:
    user.groups.add(Group.objects.get(name=name))


async def test_a_user_sees_profiles_for_everybody_and_for_their_groups(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser
) -> None:
    await database.write(Group.objects.create, name="team")
    everybody = await made("Default", "--default", "--model", "demo")
    team = await made("Team", "--groups", "team", "--model", "demo", "--description", "For us")
    await database.write(join, owner, "team")
    listed = (await (await connect(owner)).call("profile.list"))["profiles"]
    assert [one["id"] for one in listed] == [everybody, team]
    assert listed[1] == {
        "id": team,
        "name": "Team",
        "description": "For us",
        "model": "demo",
        "is_default": False,
        "memory": True,
        "takes_images": True,
        "takes_files": True,
        "input_price": None,
    }
    stranger = await connect(outsider)
    assert [one["id"] for one in (await stranger.call("profile.list"))["profiles"]] == [everybody]
    for wrong in (team, 10**9):
        assert (await stranger.refusal("session.create", profile=wrong)).code == -32001
    mine = (await stranger.call("session.create"))["session"]
    assert mine["profile"] == everybody
    assert (await stranger.refusal("session.update", session_id=mine["id"], profile=team)).code == -32001


async def test_a_fresh_site_lists_its_default_profile(connect: Connect, owner: AbstractUser) -> None:
    [only] = (await (await connect(owner)).call("profile.list"))["profiles"]
    assert (only["name"], only["is_default"]) == ("Default", True)


async def test_a_server_of_ones_own_is_listed_without_a_price(connect: Connect, owner: AbstractUser) -> None:
    made = {"name": "Own", "model": "openai:gpt-5-mini", "base_url": "https://models.example.org/v1"}
    own = await database.write(lambda: AgentProfile.objects.create(**made))
    listed = (await (await connect(owner)).call("profile.list"))["profiles"]
    assert [one["input_price"] for one in listed if one["id"] == own.pk] == [None]


async def test_another_profile_answers_from_the_next_turn_on(
    connect: Connect, owner: AbstractUser, provider: Provider
) -> None:
    await made("Default", "--default", "--model", "openai-chat:one")
    other = await made(
        "Other", "--model", "openai-chat:two", "--system-prompt", "Be brief.", "--tools", "", "--context", "8000"
    )
    client = await connect(owner)
    session = (await client.call("session.create"))["session"]
    assert session["context"] == {"tokens": None, "limit": None}
    provider.script(Answer(["One."]), Answer(["Two."]))
    await turn(client, session["id"], "hello")
    changed = (await client.call("session.update", session_id=session["id"], profile=other))["session"]
    assert (changed["profile"], changed["title"]) == (other, "hello")
    assert changed["context"]["tokens"] > 0
    assert changed["context"]["limit"] == 8000
    await turn(client, session["id"], "and now?")
    first, second = map(json.loads, provider.bodies)
    assert (first["model"], second["model"]) == ("one", "two")
    assert second["messages"][0]["content"] == "Be brief."
    assert [message["content"] for message in second["messages"][1:]] == ["hello", "One.", "and now?"]


async def test_one_answer_by_another_profiles_model(connect: Connect, owner: AbstractUser, provider: Provider) -> None:
    default = await made("Default", "--default", "--model", "openai-chat:one")
    other = await made("Other", "--model", "openai-chat:two")
    client = await connect(owner)
    session = (await client.call("session.create"))["session"]
    provider.script(Answer(["One."]), Answer(["Two."]), Answer(["Three."]))
    await turn(client, session["id"], "hello")
    result = await client.call("turn.regenerate", session_id=session["id"], profile=other)
    assert result["session"]["profile"] == default
    await client.run_ends_anywhere(session["id"], result["run_id"])
    await turn(client, session["id"], "and now?")
    bodies = [json.loads(body) for body in provider.bodies]
    assert [body["model"] for body in bodies] == ["one", "two", "one"]
    assert bodies[0]["messages"] == bodies[1]["messages"]


async def test_a_chat_whose_profile_is_forbidden_is_read_and_asks_for_another(
    connect: Connect, owner: AbstractUser
) -> None:
    await database.write(Group.objects.create, name="team")
    default = await made("Default", "--default", "--model", "demo")
    free = await made("Free", "--model", "demo")
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    await say(session_id, "hello")
    await made("Default", "--groups", "team")
    assert len((await client.call("session.open", session_id=session_id))["messages"]) == 1
    message_id = (await client.call("session.open", session_id=session_id))["messages"][0]["id"]
    for method, params in (
        ("turn.start", {"session_id": session_id, "text": "and?"}),
        ("turn.regenerate", {"session_id": session_id}),
        ("message.edit", {"message_id": message_id, "text": "and?"}),
    ):
        refusal = await client.refusal(method, **params)
        assert (refusal.code, refusal.data["profile"]) == (-32004, default)
        assert "Choose another to go on." in str(refusal)
    assert await database.read(Turn.objects.count) == 0
    # Another model may answer this once.
    result = await client.call("turn.regenerate", session_id=session_id, profile=free)
    await client.run_ends_anywhere(session_id, result["run_id"])
    await client.call("session.update", session_id=session_id, profile=free)
    result = await client.call("turn.start", session_id=session_id, text="and now?")
    await client.run_ends_anywhere(session_id, result["run_id"])
    assert (await client.call("session.create"))["session"]["profile"] == free
    assert await database.read(ChatSession.objects.count) == 2


async def test_a_profile_that_was_deleted_after_it_was_listed(connect: Connect, owner: AbstractUser) -> None:
    await made("Default", "--default", "--model", "demo")
    gone = await made("Gone", "--model", "demo")
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    await say(session_id, "hello")
    assert gone in [one["id"] for one in (await client.call("profile.list"))["profiles"]]
    await database.write(lambda: AgentProfile.objects.filter(pk=gone).delete())
    for method, params in (
        ("session.create", {"profile": gone}),
        ("session.update", {"session_id": session_id, "profile": gone}),
        ("turn.regenerate", {"session_id": session_id, "profile": gone}),
    ):
        assert (await client.refusal(method, **params)).code == -32001
    assert await database.read(ChatSession.objects.count) == 1
    assert await database.read(Turn.objects.count) == 0
    assert len((await client.call("session.open", session_id=session_id))["messages"]) == 1


REMOVED = "The model of this chat was removed. Choose another."


async def remove(profile_id: int) -> None:
    await database.write(lambda: removal.remove(AgentProfile.objects.get(pk=profile_id)))


async def test_a_chat_whose_profile_was_removed_is_read_and_asks_for_another(
    connect: Connect, owner: AbstractUser, provider: Provider
) -> None:
    default = await made("Default", "--default", "--model", "openai-chat:one")
    gone = await made("Gone", "--model", "openai-chat:gone", "--system-prompt", "Be long.", "--tools", "")
    client = await connect(owner)
    session_id = (await client.call("session.create", profile=gone))["session"]["id"]
    provider.script(Answer(["One."]), Answer(["Two."]))
    await turn(client, session_id, "hello")
    await remove(gone)
    told = await client.event(lambda params: (params["event"].get("value") or {}).get("profile", 0) is None)
    assert told["event"]["name"] == "session.updated"
    assert told["event"]["value"]["id"] == session_id
    opened = await client.call("session.open", session_id=session_id)
    assert [message["text"] for message in opened["messages"]] == ["hello", "One."]
    assert opened["messages"][1]["model"] == "gone"
    ledger = await client.call("session.ledger", session_id=session_id)
    assert (ledger["turns"], ledger["profile"]) == (1, None)
    asked, answered = (message["id"] for message in opened["messages"])
    for method, params in (
        ("turn.start", {"session_id": session_id, "text": "and?"}),
        ("turn.regenerate", {"session_id": session_id}),
        ("message.edit", {"message_id": asked, "text": "and?"}),
        ("session.apply_profile", {"session_id": session_id}),
    ):
        refusal = await client.refusal(method, **params)
        assert (str(refusal), refusal.data) == (f"-32004: {REMOVED}", {"profile": None})
    assert await database.read(Turn.objects.count) == 1
    forked = (await client.call("session.fork", message_id=answered))["session"]
    assert forked["profile"] is None
    assert [message["model"] for message in await messages_of(client, forked["id"])] == [None, "gone"]
    changed = (await client.call("session.update", session_id=session_id, profile=default))["session"]
    assert changed["profile"] == default
    await turn(client, session_id, "and now?")
    body = json.loads(provider.bodies[-1])
    assert (body["model"], body["messages"][0]["content"]) == ("one", AgentProfile().system_prompt)
    assert [message["content"] for message in body["messages"][1:]] == ["hello", "One.", "and now?"]


async def messages_of(client: Client, session_id: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await client.call("session.open", session_id=session_id))["messages"]
    return messages


async def test_a_fork_says_who_answered_when_its_source_is_gone(
    connect: Connect, owner: AbstractUser, provider: Provider
) -> None:
    await made("Default", "--default", "--model", "openai-chat:one")
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    provider.script(Answer(["One."]), Answer(["Two."]))
    await turn(client, session_id, "hello")
    for _ in range(2):  # a fork, and a fork of that
        last = (await messages_of(client, session_id))[-1]
        forked = (await client.call("session.fork", message_id=last["id"]))["session"]
        await client.call("session.delete", session_id=session_id)
        session_id = forked["id"]
        assert [message["model"] for message in await messages_of(client, session_id)] == [None, "one"]
    await made("Default", "--model", "openai-chat:two")
    await turn(client, session_id, "and now?")
    assert [message["model"] for message in await messages_of(client, session_id)] == [None, "one", None, "two"]


async def test_what_waits_when_its_profile_is_removed_ends_with_the_reason(
    connect: Connect, owner: AbstractUser, provider: Provider
) -> None:
    await made("Default", "--default", "--model", "openai-chat:one")
    gone = await made("Gone", "--model", "openai-chat:gone")
    client = await connect(owner)
    session_id = (await client.call("session.create", profile=gone))["session"]["id"]
    await client.call("session.open", session_id=session_id)
    gate = Gate()
    provider.script(Answer(["One."], gates={0: gate}))
    first = await client.call("turn.start", session_id=session_id, text="first")
    waiting = await client.call("turn.start", session_id=session_id, text="second")
    assert waiting["queued"]
    await gate.reached()
    await remove(gone)
    withdrawn = await client.fact("turn.withdrawn")
    assert (withdrawn["run_id"], withdrawn["text"]) == (waiting["run_id"], "second")
    assert withdrawn["error"] == {"code": "provider", "text": REMOVED}
    gate.open()
    assert (await client.run_ends(first["run_id"]))["type"] == "RUN_FINISHED"
    assert [message["text"] for message in await messages_of(client, session_id)] == ["first", "One."]
    assert len(provider.bodies) == 1


@pytest.mark.both_databases
async def test_a_profile_that_was_deleted_by_sql_reads_as_removed(connect: Connect, owner: AbstractUser) -> None:
    await made("Default", "--default", "--model", "demo")
    gone = await made("Gone", "--model", "demo")
    client = await connect(owner)
    session_id = (await client.call("session.create", profile=gone))["session"]["id"]
    await database.write(_delete_by_sql, gone)
    assert (await client.call("session.open", session_id=session_id))["session"]["profile"] is None
    [listed] = (await client.call("session.list"))["sessions"]
    assert listed["profile"] is None
    assert str(await client.refusal("turn.start", session_id=session_id, text="hello")) == f"-32004: {REMOVED}"


def _delete_by_sql(profile_id: int) -> None:
    plain.rows("UPDATE sessions_app_chatsession SET profile_id = NULL WHERE profile_id = %s RETURNING 1", [profile_id])
    plain.rows("DELETE FROM sessions_app_agentprofile WHERE id = %s RETURNING 1", [profile_id])
