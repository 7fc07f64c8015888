"""Three users (owner, outsider, administrator), a runner of the real kind, and connections to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from blockbuster import BlockBuster
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings

from sessions_app import database
from sessions_app.api.consumer import ChatConsumer
from sessions_app.api.limits import Limits
from sessions_app.api.revocation import Doorkeeper
from sessions_app.llm.providers import ProviderSettings
from sessions_app.models import ApiToken
from sessions_app.turns.pool import AgentPool, search_chats
from sessions_app.turns.runner import Runner
from tests.api.client import Client
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
def owner(transactional_db: None) -> AbstractUser:
    return get_user_model().objects.create_user("owner", password="a long one")


@pytest.fixture
def outsider(transactional_db: None) -> AbstractUser:
    return get_user_model().objects.create_user("outsider", password="a long one")


@pytest.fixture
def administrator(transactional_db: None) -> AbstractUser:
    return get_user_model().objects.create_superuser("administrator", password="a long one")


@pytest_asyncio.fixture
async def runner(transactional_db: None, blockbuster: BlockBuster) -> AsyncIterator[Runner]:
    """A process's runner, with the demo model that does not pause."""
    blockbuster.deactivate()  # before the first client and after the last nobody waits
    running = Runner(AgentPool(ProviderSettings(demo_pause=0), search_chats, tool_timeout=30), lease=15)
    await running.start()
    blockbuster.activate()
    yield running
    blockbuster.deactivate()
    await running.drain(0)
    blockbuster.activate()


@pytest.fixture
def limits() -> Limits:
    """A process's limits."""
    return Limits()


@pytest_asyncio.fixture
async def connect(runner: Runner, limits: Limits) -> AsyncIterator[Connect]:
    """Connect with a token of a user, the same for all their connections, or with the headers given."""
    clients: list[Client] = []
    tokens: dict[int, tuple[bytes, bytes]] = {}
    application = ChatConsumer.as_asgi(runner=runner, doorkeeper=Doorkeeper(), limits=limits)

    async def connected(user: AbstractUser | None = None, headers: Any = ()) -> Client:
        if user and user.pk not in tokens:
            tokens[user.pk] = await bearer(user)
        given = [tokens[user.pk]] if user else list(headers)
        clients.append(await Client(application, given).connect())
        return clients[-1]

    yield connected
    for client in clients:
        await client.leave()


@pytest.fixture
def gate(provider: Provider) -> Iterator[Gate]:
    """The model of all sessions is the loopback provider, which stands at this gate in its first answer."""
    gate = Gate()
    provider.script(Answer(words=["one ", "two "], gates={1: gate}))
    with override_settings(HERMES_MODEL="openai-chat:loopback"):
        yield gate


async def bearer(user: AbstractUser) -> tuple[bytes, bytes]:
    """Return the header of a fresh token of the user."""
    _, clear_text = await database.write(ApiToken.issue, user)
    return (b"authorization", f"Bearer {clear_text}".encode())


def login(user: AbstractUser) -> SessionStore:
    """Log a user in as Django's login does, and return the session."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


def cookie(session: SessionStore) -> tuple[bytes, bytes]:
    """Return the header that a browser with this session sends."""
    return (b"cookie", f"other=1; {settings.SESSION_COOKIE_NAME}={session.session_key}".encode())
