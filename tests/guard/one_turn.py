"""A script: a process that carries out one turn and says what its guard decided.

`python -m tests.guard.one_turn USER_ID SESSION_ID TEXT`; the environment names the database and the provider.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

import django

django.setup()

from sessions_app import database  # noqa: E402
from tests.turns.host import Host, guard_of  # noqa: E402


async def main(user_id: int, session_id: UUID, text: str) -> None:
    host = await Host.start(user_id)
    turn = await host.turn(session_id, text)
    await host.runner.drain(0)
    print("guard", *guard_of(turn), flush=True)


asyncio.run(main(int(sys.argv[1]), UUID(sys.argv[2]), sys.argv[3]))
database.close()
