"""An answer that was asked of one profile comes from that one, or from none."""

from __future__ import annotations

import pytest

from sessions_app import database
from sessions_app.conversations.profiles import NAMED_REMOVED
from sessions_app.models import AgentProfile, TurnStatus
from sessions_app.session_store import removal
from tests.providers.fixtures import Provider
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, stored_turn, within

pytestmark = pytest.mark.one_database


def other_profile() -> AgentProfile:
    return AgentProfile.objects.create(name="Other", model="openai-chat:other")


async def test_a_waiting_regeneration_whose_profile_was_removed_is_an_error(
    host: Host, new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    before, other = await said(chat), await database.write(other_profile)
    await within(host.runner.drain(0))
    branched = await within(host.runner.service.regenerate(host.user_id, chat, None, profile_id=other.pk))
    assert branched.asked.queued
    await database.write(removal.remove, other)
    after = await new_host()
    await after.open(chat)
    await after.listener.end_of(branched.asked.run_id)
    turn = await stored_turn(branched.asked.run_id)
    assert (turn.status, turn.error_text, len(provider.requests)) == (TurnStatus.FAILED, NAMED_REMOVED, 1)
    assert await said(chat) == before


async def test_a_waiting_regeneration_is_answered_by_the_profile_it_names(
    host: Host, new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    other = await database.write(other_profile)
    await within(host.runner.drain(0))
    branched = await within(host.runner.service.regenerate(host.user_id, chat, None, profile_id=other.pk))
    after = await new_host()
    await after.open(chat)
    await after.listener.end_of(branched.asked.run_id)
    assert (await stored_turn(branched.asked.run_id)).status == TurnStatus.COMPLETE
    assert provider.requests[-1].json["model"] == "other"
