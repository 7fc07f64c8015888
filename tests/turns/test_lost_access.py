"""A user who may no longer use what answers: the run ends and says why, and so does what waits behind it."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractUser, Group

from sessions_app import database
from sessions_app.conversations import profiles
from sessions_app.models import AgentProfile, TurnStatus
from sessions_app.session_store import chats
from sessions_app.turn_store.recovery import QUIET_SECONDS
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, said, stands_at, stored_turn
from tests.turns.test_recovery import left_running

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.mark.one_database
async def test_a_run_ends_when_its_profile_is_for_others(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked, waiting = await host.ask(chat), await host.ask(chat, "waits")
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    readers = await database.write(lambda: Group.objects.create(name="readers"))
    profile = await database.read(AgentProfile.default)
    await database.write(user.groups.add, readers)
    await database.write(profile.groups.add, readers)
    await host.runner.supervisor.beat()
    assert host.runner.runs
    await database.write(user.groups.clear)
    for each in (asked, waiting):
        end = (await host.listener.end_of(each.run_id))["event"]
        assert (end["type"], end["code"], end["message"]) == ("RUN_ERROR", "provider", profiles.FORBIDDEN)
    gate.open()
    assert await said(chat) == [
        ("user", "hello", "complete"),
        ("assistant", "One ", "failed"),
        ("user", "waits", "complete"),
    ]
    assert len(provider.requests) == 1


async def for_readers(profile: AgentProfile) -> Group:
    """A group that the profile is for, and nobody in it."""
    readers = await database.write(lambda: Group.objects.create(name="readers"))
    await database.write(profile.groups.add, readers)
    return readers


async def waits_for_another(host: Host, chat: UUID) -> tuple[AgentProfile, UUID]:
    """A turn that waits in a session for another profile than the one that answers there; with that profile."""
    other = await database.write(lambda: AgentProfile.objects.create(name="Other", model="openai-chat:other"))
    await database.write(chats.update, host.user_id, chat, {"profile": other.pk})
    return other, (await host.ask(chat, "waits")).run_id


async def is_withdrawn(host: Host, run_id: UUID, reason: str) -> None:
    """Return once the turn that waited is told to be withdrawn for this reason, and is stored so."""
    withdrawn = await host.listener.fact("turn.withdrawn")
    assert (withdrawn["run_id"], withdrawn["text"]) == (str(run_id), "waits")
    assert withdrawn["error"] == {"code": "provider", "text": reason}
    turn = await stored_turn(run_id)
    assert (turn.status, turn.error_text) == (TurnStatus.WITHDRAWN, reason)


@pytest.mark.one_database
@pytest.mark.parametrize("is_removed", [False, True])
async def test_a_turn_that_waits_behind_another_profile_is_withdrawn(
    host: Host, session: NewSession, provider: Provider, *, is_removed: bool
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    running = await host.ask(chat)
    await stands_at(gate)
    other, waiting = await waits_for_another(host, chat)
    await (database.write(other.delete) if is_removed else for_readers(other))
    await is_withdrawn(host, waiting, profiles.REMOVED if is_removed else profiles.FORBIDDEN)
    gate.open()
    assert (await host.listener.end_of(running.run_id))["event"]["type"] == "RUN_FINISHED"
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One two", "complete")]
    assert len(provider.requests) == 1


async def test_what_waits_behind_a_quiet_process_ends_before_the_lease_does(host: Host, session: NewSession) -> None:
    chat = await session()
    left = await left_running(host.user_id, chat, process="", silent_for=QUIET_SECONDS)
    other, waiting = await waits_for_another(host, chat)
    await for_readers(other)
    await is_withdrawn(host, waiting, profiles.FORBIDDEN)
    assert (await stored_turn(left)).status == TurnStatus.RUNNING
