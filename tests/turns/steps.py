"""Turns that go on from an earlier place, each to its end."""

from __future__ import annotations

from uuid import UUID

from sessions_app.models import Turn
from tests.turns.host import Host, stored_turn, within


async def regenerated(host: Host, session_id: UUID, message_id: UUID | None = None) -> Turn:
    """Ask for another answer; the turn as stored when it has ended."""
    branched = await within(host.runner.service.regenerate(host.user_id, session_id, message_id))
    await host.listener.end_of(branched.asked.run_id)
    return await stored_turn(branched.asked.run_id)


async def edited(host: Host, message_id: UUID, text: str) -> Turn:
    """Say something in the place of a message; the turn as stored when it has ended."""
    branched = await within(host.runner.service.edit_message(host.user_id, message_id, text, None))
    await host.listener.end_of(branched.asked.run_id)
    return await stored_turn(branched.asked.run_id)
