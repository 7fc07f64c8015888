"""A script: a process that summarises a chat and is killed at a point of that which its argument names.

`python -m tests.turns.doomed_compaction USER_ID SESSION_ID asked|stored`; the database and the provider are named by
the environment. It says when it has come to the point, and stays there.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

import django

django.setup()

from sessions_app.turns.memory import TurnMemory  # noqa: E402
from tests.turns.host import Host  # noqa: E402


async def stay(_: TurnMemory) -> None:
    """What follows the commit of a summary: here nothing does."""
    print("stored", flush=True)
    await asyncio.Event().wait()


async def main(user_id: int, session_id: UUID, point: str) -> None:
    host = await Host.start(user_id)
    await host.show(session_id)
    asked = await host.runner.service.compact(user_id, session_id)
    if point == "stored":
        # Its transcript is read once before it asks.
        await host.listener.until(lambda event: event["event"]["type"] == "STEP_STARTED")
        TurnMemory.read = stay  # type: ignore[method-assign,assignment]
    print(f"asked {asked.run_id}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1]), UUID(sys.argv[2]), sys.argv[3]))
