"""A script: a process that approves what waits in a chat, and is killed at a point of that which its argument names.

`python -m tests.turns.doomed_approval USER_ID SESSION_ID decided|begun|made|allowed`; the database and the provider are
named by the environment. It says when it has come to the point, and stays there. A call is a line that it prints.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import django

django.setup()

from sessions_app.llm.content.parts import ToolCall  # noqa: E402
from sessions_app.llm.tools.sources import Context, ToolOutput  # noqa: E402
from sessions_app.turn_store.approving import ApprovedCall  # noqa: E402
from sessions_app.turn_store.deciding import GivenDecision  # noqa: E402
from sessions_app.turns.approved_calls import ApprovedCalls  # noqa: E402
from tests.turns.host import Host  # noqa: E402
from tests.turns.tool_server import MailServer, serve, waiting  # noqa: E402


async def stay(point: str) -> Any:
    print(f"point {point}", flush=True)
    await asyncio.Event().wait()


class DoomedServer(MailServer):
    """Stays in the midst of a call where that is the point."""

    def __init__(self, point: str) -> None:
        super().__init__()
        self._point = point

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        print(f"made {call.name}", flush=True)
        if self._point in ("begun", "allowed"):
            await stay(self._point)
        return await super().call(context, call)


async def main(user_id: int, session_id: UUID, point: str) -> None:
    host = await Host.start(user_id)
    serve(host, DoomedServer(point))
    if point == "decided":
        # The turn has begun, and no call of it was marked.
        ApprovedCalls.make = lambda *_: stay("decided")  # type: ignore[method-assign]
    elif point == "made":
        # The result is stored, and the model is not asked yet.
        make = ApprovedCalls.make

        async def and_stay(self: ApprovedCalls, approved: Sequence[ApprovedCall]) -> None:
            await make(self, approved)
            await stay("made")

        ApprovedCalls.make = and_stay  # type: ignore[method-assign]
    if point == "allowed":
        await host.turn(session_id, "Read it.")
    decisions = [GivenDecision(each.public_id, approve=True) for each in await waiting(host, session_id)]
    asked = await host.runner.service.decide(user_id, session_id, decisions)
    print(f"asked {asked.run_id}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1]), UUID(sys.argv[2]), sys.argv[3]))
