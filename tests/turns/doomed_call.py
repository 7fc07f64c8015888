"""A script: a process whose turn ends with calls of its client's tools, and that is then killed.

`python -m tests.turns.doomed_call USER_ID SESSION_ID`; the database and the provider are named by the environment. It
says when the calls are stored, and stays there.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

import django

django.setup()

from tests.turns.host import Host  # noqa: E402


async def main(user_id: int, session_id: UUID) -> None:
    host = await Host.start(user_id)
    await host.turn(session_id, "Weather?")
    print("stored", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1]), UUID(sys.argv[2])))
