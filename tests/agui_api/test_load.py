"""Many runs at once beside a large history: nothing blocks the event loop, which BlockBuster watches.

With so large a history it is thorough; the suite asks it of few runs, by the tests of openai_api/test_load.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.agui_api import snapshot
from sessions_app.agui_api.routes import routes
from sessions_app.api.limits import Limits
from sessions_app.api.revocation import Doorkeeper
from sessions_app.http_api.application import HttpApi
from sessions_app.models import ApiToken, ChatSession
from sessions_app.turns.runner import Runner
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

AT_ONCE = 20


@pytest_asyncio.fixture
async def http(
    runner: Runner, owner: AbstractUser, provider: Provider, settings: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application in this process."""
    settings.HERMES_MODEL = "openai-chat:loopback"
    settings.HERMES_TURNS_PER_MINUTE = settings.HERMES_CONNECTIONS_PER_USER = 1_000
    _, key = await database.write(ApiToken.issue, owner)
    transport = httpx2.ASGITransport(HttpApi(routes("/"), runner, Doorkeeper(), Limits(), {}))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
        yield client


async def events(http: httpx2.AsyncClient, thread: str, run: str, *texts: str) -> list[dict[str, Any]]:
    """The events of a run."""
    roles = ("user", "assistant")
    messages = [{"id": str(number), "role": roles[number % 2], "content": text} for number, text in enumerate(texts)]
    return await ask(http, thread, run, messages)


async def ask(http: httpx2.AsyncClient, thread: str, run: str, messages: list[dict[str, str]]) -> list[dict[str, Any]]:
    answer = await http.post("/ag-ui/", json={"threadId": thread, "runId": run, "messages": messages})
    lines = answer.text.split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


@pytest.mark.thorough
async def test_many_runs_beside_a_history_of_ten_megabytes(http: httpx2.AsyncClient, provider: Provider) -> None:
    history = [f"{number} " + "word " * 20_000 for number in range(101)]
    told = await asyncio.gather(
        events(http, "large", "0", *history), *(events(http, f"T{number}", "0", "Q") for number in range(AT_ONCE))
    )
    assert {each[-1]["type"] for each in told} == {"RUN_FINISHED"}
    assert len(provider.requests) == AT_ONCE + 1
    assert await database.read(ChatSession.objects.count) == AT_ONCE + 1
    again = await events(http, "large", "0", *history)
    assert [each["type"] for each in again] == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert [each["content"] for each in again[1]["messages"]][:101] == history


async def test_a_fault_of_ours_in_a_stream_is_a_run_error(
    http: httpx2.AsyncClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.script(Answer(["one two"]), Answer(["A2"]))
    begun = await events(http, "thread", "1", "Q1")
    answer = next(each["messageId"] for each in begun if each["type"] == "TEXT_MESSAGE_START")
    # It has heard a part, so what is stored is told in the end: which cannot be read.
    monkeypatch.setattr(snapshot, "MAX_MESSAGES", "many")
    history = [{"id": answer, "role": "assistant", "content": "one"}, {"id": "2", "role": "user", "content": "Q2"}]
    told = await ask(http, "thread", "2", history)
    assert (told[-1]["type"], told[-1]["code"]) == ("RUN_ERROR", "internal")
