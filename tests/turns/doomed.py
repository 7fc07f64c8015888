"""A script: a process that begins a turn, queues another, says when its answer is checkpointed, and is then killed.

`python -m tests.turns.doomed USER_ID SESSION_ID`; the database and the provider are named by the environment.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

import django

django.setup()

from sessions_app import database  # noqa: E402
from sessions_app.models import Turn  # noqa: E402
from tests.turns.host import Host  # noqa: E402


async def main(user_id: int, session_id: UUID) -> None:
    host = await Host.start(user_id)
    asked = await host.ask(session_id, "to the doomed")
    await host.ask(session_id, "left waiting")
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    await host.runner.supervisor.beat()
    checkpoint = await database.read(lambda: Turn.objects.get(run_id=asked.run_id).checkpoint)
    print(f"checkpoint {asked.run_id} {checkpoint!r}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1]), UUID(sys.argv[2])))
