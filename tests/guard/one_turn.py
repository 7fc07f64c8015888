"""A script: a process that carries out a turn of each session and says what its guard decided.

`python -m tests.guard.one_turn USER_ID TEXT MODEL=SESSION_ID ...`; the environment names the database and the provider.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

import django
from django.conf import settings

django.setup()

from sessions_app import database  # noqa: E402
from tests.turns.host import Host, guard_of  # noqa: E402


async def main(user_id: int, text: str, sessions: list[str]) -> None:
    host = await Host.start(user_id)
    for session in sessions:
        settings.HERMES_MODEL, _, session_id = session.partition("=")
        print("guard", *guard_of(await host.turn(UUID(session_id), text)), flush=True)
    await host.runner.drain(0)


asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
database.close()
