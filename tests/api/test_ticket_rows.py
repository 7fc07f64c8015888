"""Tickets that nobody used do not stay."""

from __future__ import annotations

import pytest
from django.utils import timezone

from sessions_app import database
from sessions_app.models import Ticket
from sessions_app.turns.runner import Runner


def _expire(kept: str) -> None:
    redeemed = Ticket.redeem(kept)
    assert redeemed is not None
    Ticket.objects.update(expires_at=timezone.now())
    redeemed.save(force_insert=True)


@pytest.mark.both_databases
async def test_the_supervisors_round_removes_expired_tickets(runner: Runner) -> None:
    kept, *expired = [await database.write(Ticket.issue, session_key="any") for _ in range(3)]
    await database.write(_expire, kept)
    await runner.supervisor.prune()
    assert await database.read(Ticket.objects.count) == 1
    assert await database.write(Ticket.redeem, kept) is not None
    assert [await database.write(Ticket.redeem, each) for each in expired] == [None, None]
