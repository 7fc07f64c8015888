"""A process that is killed while it tells a webhook: each event is told at least once, and twice under one id alone."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app.models import DeliveryState
from sessions_app.webhooks import rows
from tests.processes import Process
from tests.turns.foreign import foreign
from tests.webhooks.receiver import Receiver, deliveries, delivery, later, made, told
from tests.webhooks.test_sending import happen

# By the point: how often the receiver has had the event by then, and how often it has it in the end.
POINTS = {"collecting": (0, 1), "claimed": (0, 1), "sent": (1, 2), "answered": (1, 2), "settling": (1, 2)}


def doomed(point: str) -> Process:
    env = {
        "DJANGO_SETTINGS_MODULE": "hermes_site.settings",
        "DATABASE_URL": foreign().url,
        "SECRET_KEY": "tests-only",
        "HERMES_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    return Process([sys.executable, "-m", "tests.webhooks.doomed", point], env={**os.environ, **env})


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "point", ["sent", *(pytest.param(point, marks=pytest.mark.thorough) for point in POINTS if point != "sent")]
)
async def test_an_event_is_told_though_its_process_is_killed(
    user: AbstractUser, receiver: Receiver, point: str
) -> None:
    before, after = POINTS[point]
    await made(receiver.url)
    await happen(user)
    if point == "sent":
        receiver.hold.clear()  # it waits for the answer
    process = await asyncio.to_thread(doomed, point)
    if point == "sent":
        await receiver.until(1)
    else:
        await asyncio.to_thread(process.line, "point")
    await asyncio.to_thread(process.kill)
    receiver.hold.set()
    assert len(receiver.received) == before
    if point != "collecting":
        await told()
        assert len(receiver.received) == before  # it may still be on its way
        assert [each.attempts for each in await deliveries()] == [1]
        await later(rows.CLAIMED_FOR / timedelta(days=1))
    await told()
    done = await delivery()
    assert (done.state, done.status, done.attempts) == (DeliveryState.DELIVERED, 200, 1 if point == "collecting" else 2)
    assert [each.id for each in receiver.received] == [receiver.received[0].id] * after
    assert len({each.body for each in receiver.received}) == 1
    # Nothing is left to be told.
    await later(1)
    await told()
    assert len(receiver.received) == after
