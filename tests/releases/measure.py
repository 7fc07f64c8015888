"""A script: what this code makes of the sessions in a database, as JSON.

`python -m tests.releases.measure`; the environment names the database, which is migrated. Printed are, by session,
`open`, the answer of `session.open`; `requests`, by wire, the request that goes on from its rows with `QUESTION`; and
`turn`, the request of a whole turn, which the session's own model is sent.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import django
from django.core.management import call_command
from django.db import connection
from pydantic_core import to_jsonable_python

django.setup()

from sessions_app import database  # noqa: E402
from sessions_app.llm.content.prefix import FrozenPrefix  # noqa: E402
from sessions_app.llm.content.rows import Row  # noqa: E402
from sessions_app.llm.providers import Providers, ProviderSettings  # noqa: E402
from sessions_app.models import ChatSession  # noqa: E402
from sessions_app.turn_store.beginning import load  # noqa: E402
from tests.llm.talking import WIRES, Session  # noqa: E402
from tests.providers.fixtures import Provider  # noqa: E402
from tests.turns.host import Host  # noqa: E402

QUESTION = "And now?"


@contextmanager
def connected() -> Iterator[Provider]:
    """A loopback provider that every client of this process talks to."""
    provider = Provider()
    os.environ |= {
        "OPENAI_BASE_URL": provider.base_url,
        "OPENAI_API_KEY": "loopback",
        "ANTHROPIC_BASE_URL": provider.anthropic_url,
        "ANTHROPIC_API_KEY": "loopback",
    }
    try:
        yield provider
    finally:
        provider.close()


async def measured(host: Host, provider: Provider, session_id: UUID, prefix: str) -> dict[str, Any]:
    opened = await host.open(session_id)
    rows, _ = await database.read(load, session_id)
    requests = {wire: await request_of(provider, session_id, prefix, rows, wire) for wire in WIRES}
    provider.forget()
    await host.turn(session_id, QUESTION)
    turn = provider.bodies[0].decode()
    return {"open": opened, "requests": requests, "turn": turn}


async def request_of(provider: Provider, session_id: UUID, prefix: str, rows: list[Row], model: str) -> str:
    provider.forget()
    providers = Providers(ProviderSettings())
    asked = [*rows, Row("user", QUESTION)]
    await Session(providers, model, str(session_id), FrozenPrefix.from_json(prefix), asked).step()
    await providers.aclose()
    return provider.bodies[0].decode()


async def main(provider: Provider) -> None:
    sessions = await database.read(lambda: list(ChatSession.objects.order_by("created_at")))
    host = await Host.start(sessions[0].owner_id)
    made = {str(chat.pk): await measured(host, provider, chat.pk, chat.frozen_prefix) for chat in sessions}
    await host.runner.drain(0)
    print(json.dumps(to_jsonable_python(made), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    connection.close()
    with connected() as provider:
        asyncio.run(main(provider))
    database.close()
