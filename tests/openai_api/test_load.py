"""Many answers at once while a large history is read: nothing blocks the event loop, which BlockBuster watches.

With a large history it is thorough; the suite asks it of responses with long instructions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from django.contrib.auth.models import AbstractUser
from openai import AsyncOpenAI

from sessions_app import database
from sessions_app.api.limits import Limits
from sessions_app.api.revocation import Doorkeeper
from sessions_app.http_api.application import HttpApi
from sessions_app.models import ApiToken, ChatSession
from sessions_app.openai_api.routes import ROUTES
from sessions_app.turns.runner import Runner
from tests.openai_api.conftest import MODEL, conversation
from tests.providers.fixtures import Provider

AT_ONCE = 20


@pytest_asyncio.fixture
async def client(runner: Runner, owner: AbstractUser, provider: Provider, settings: Any) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client of the application in this process."""
    settings.HERMES_MODEL = "openai-chat:loopback"
    settings.HERMES_TURNS_PER_MINUTE = settings.HERMES_CONNECTIONS_PER_USER = 1_000
    _, key = await database.write(ApiToken.issue, owner)
    transport = httpx2.ASGITransport(HttpApi(ROUTES, runner, Doorkeeper(), Limits(), {}))
    async with httpx2.AsyncClient(transport=transport) as http:
        yield AsyncOpenAI(base_url="http://testserver/v1", api_key=key, http_client=http, max_retries=0)


async def said(client: AsyncOpenAI, *texts: str) -> str:
    """Return an answer that was streamed."""
    stream = await client.chat.completions.create(model=MODEL, messages=conversation(*texts), stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


@pytest.mark.thorough
async def test_many_streams_beside_a_history_of_ten_megabytes(client: AsyncOpenAI, provider: Provider) -> None:
    history = [f"{number} " + "word " * 20_000 for number in range(101)]
    answers = await asyncio.gather(said(client, *history), *(said(client, f"Q{number}") for number in range(AT_ONCE)))
    assert all(answers)
    assert len(provider.requests) == AT_ONCE + 1
    assert max(len(request.json["messages"]) for request in provider.requests) == len(history) + 1
    assert await database.read(ChatSession.objects.count) == AT_ONCE + 1


async def test_many_responses_at_once_beside_long_instructions(client: AsyncOpenAI, provider: Provider) -> None:
    async def responded(number: int) -> str:
        instructions = "Be brief. " * (15_000 if number % 10 == 0 else 1)
        stream = await client.responses.create(
            model=MODEL, input=f"Q{number}", instructions=instructions, stream=True, store=number % 2 == 0
        )
        return [event async for event in stream][-1].type

    assert set(await asyncio.gather(*map(responded, range(AT_ONCE)))) == {"response.completed"}
    assert await database.read(ChatSession.objects.count) == AT_ONCE // 2
