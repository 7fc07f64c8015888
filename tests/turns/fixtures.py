"""Fixtures of turns: a user, sessions, and hosts over one real database (a file, or PostgreSQL)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from blockbuster import BlockBuster
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from sessions_app.purging import nightly
from sessions_app.turn_store import heartbeat
from sessions_app.turns import stopping, supervisor
from tests.turns.host import Host, new_session
from tests.turns.slow import StuckThread

NewHost = Callable[..., Awaitable[Host]]
NewSession = Callable[..., Awaitable[UUID]]

# Seconds: longer than any test takes.
NEVER = 86_400.0
CHAT, RESPONSES, ANTHROPIC = "openai-chat:loopback", "openai:loopback", "anthropic:claude-loopback"
ONE_ON_BOTH_DATABASES = [
    pytest.param(CHAT, marks=pytest.mark.both_databases),
    *(pytest.param(wire, marks=pytest.mark.one_database) for wire in (RESPONSES, ANTHROPIC)),
]
"""The wires, for a test that asks the same of the database over each: on both databases over the first."""
ONE_IN_THE_SUITE = [
    ONE_ON_BOTH_DATABASES[0],
    *(pytest.param(wire, marks=(pytest.mark.one_database, pytest.mark.thorough)) for wire in (RESPONSES, ANTHROPIC)),
]
"""The same, of which the suite asks over the first."""


@pytest.fixture
def user(transactional_db: None) -> AbstractUser:
    """Somebody who chats."""
    return get_user_model().objects.create_user("owner")


@pytest.fixture
def model(settings: Any, provider: Any) -> str:
    """The model of the default profile; no limit of turns a minute."""
    settings.HERMES_MODEL = CHAT
    settings.HERMES_TURNS_PER_MINUTE = 10_000
    return CHAT


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that wait for what a process finds by the clock: it looks at once, and not once a second."""
    for module, name in ((heartbeat, "BEAT_SECONDS"), (supervisor, "POLL_SECONDS"), (stopping, "LOOK_SECONDS")):
        monkeypatch.setattr(module, name, 0.05)


@pytest_asyncio.fixture
async def new_host(
    user: AbstractUser, model: str, blockbuster: BlockBuster, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[NewHost]:
    """Starts a process of its own, with its own cache, over the same database. Nothing is swept but by the test."""
    hosts: list[Host] = []
    monkeypatch.setattr(supervisor, "SWEEP_SECONDS", NEVER)
    monkeypatch.setattr(nightly, "LOOK_SECONDS", NEVER)
    for function in blockbuster.functions.values():
        # As it starts and ends a process touches its lock file, while nobody waits for its loop.
        function.can_block_in("turn_store/liveness.py", ("start", "end", "_is_held"))

    async def start(**settings: Any) -> Host:
        hosts.append(await Host.start(user.pk, **settings))
        return hosts[-1]

    yield start
    for host in hosts:
        await host.runner.drain(0)


@pytest_asyncio.fixture
async def host(new_host: NewHost) -> Host:
    return await new_host()


@pytest_asyncio.fixture
async def quiet_host(host: Host) -> Host:
    """A process that does nothing by the clock: what it tells, it tells by itself."""
    await host.runner.supervisor.stop()
    return host


@pytest_asyncio.fixture
async def stuck_thread() -> AsyncIterator[StuckThread]:
    """The thread that all async calls of the ORM share, stuck until it is told to go on."""
    stuck = StuckThread()
    await stuck.stick()
    yield stuck
    await stuck.go()


@pytest.fixture
def session(user: AbstractUser) -> NewSession:
    """Creates a session of the user."""

    async def create(title: str = "") -> UUID:
        return await new_session(user.pk, title)

    return create
