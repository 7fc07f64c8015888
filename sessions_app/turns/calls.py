"""Make a call of the host's tools, and return the row of what it has come to."""

from __future__ import annotations

from functools import partial

from sessions_app.conversations.transcript import NewMessage
from sessions_app.llm.agent import Agent
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.spans import tool_call
from sessions_app.models import Turn
from sessions_app.realtime.run_events import RunStream
from sessions_app.turns.memory import TurnMemory
from sessions_app.turns.tool_rows import result_row


async def make(turn: Turn, agent: Agent, memory: TurnMemory, stream: RunStream, call: ToolCall) -> NewMessage:
    """Make a call of a turn, and show how far it is. What went wrong is told in the row; nothing else is raised."""
    report = partial(stream.call_progress, call.id)
    with tool_call(call):
        return await result_row(turn.owner_id, call, await agent.call(memory.transcript, call, report))
