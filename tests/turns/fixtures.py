"""Fixtures of turns: a user, sessions, and hosts over one real database (a file, or PostgreSQL)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from blockbuster import BlockBuster
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from tests.turns.host import Host, new_session

NewHost = Callable[..., Awaitable[Host]]
NewSession = Callable[..., Awaitable[UUID]]

CHAT, RESPONSES, ANTHROPIC = "openai-chat:loopback", "openai:loopback", "anthropic:claude-loopback"


@pytest.fixture
def user(transactional_db: None) -> Iterator[AbstractUser]:
    """Somebody who chats. The database threads end with the test, so that no connection outlives its database."""
    yield get_user_model().objects.create_user("owner")
    database.close()


@pytest.fixture
def model(settings: Any, provider: Any) -> str:
    """The model of the default profile; no limit of turns a minute."""
    settings.HERMES_MODEL = CHAT
    settings.HERMES_TURNS_PER_MINUTE = 10_000
    return CHAT


@contextmanager
def nobody_waits(blockbuster: BlockBuster) -> Iterator[None]:
    """While a process starts or ends nobody waits for its loop: it may block."""
    blockbuster.deactivate()
    yield
    blockbuster.activate()


@pytest_asyncio.fixture
async def new_host(user: AbstractUser, model: str, blockbuster: BlockBuster) -> AsyncIterator[NewHost]:
    """Starts a process of its own, with its own cache, over the same database."""
    hosts: list[Host] = []

    async def start(**settings: Any) -> Host:
        with nobody_waits(blockbuster):
            hosts.append(await Host.start(user.pk, **settings))
        return hosts[-1]

    yield start
    with nobody_waits(blockbuster):
        for host in hosts:
            await host.runner.drain(0)


@pytest_asyncio.fixture
async def host(new_host: NewHost) -> Host:
    return await new_host()


@pytest.fixture
def session(user: AbstractUser) -> NewSession:
    """Creates a session of the user."""

    async def create(title: str = "") -> UUID:
        return await new_session(user.pk, title)

    return create
