"""The host as others are built, to be measured beside it: `python -m bench.variants NAME,… serve`.

`eager`: the guard throws the agent away, with all its transcripts, whenever its user turns to another session.
`clock`: the system prompt ends with the time at which the transcript was read, as prompts do that are made when an
agent is built.
`fresh`: a summary is made by a prompt of its own, which has to be read as new, and is put into the system prompt.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import django
from django.core.management import execute_from_command_line

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, SystemPromptPart

    from sessions_app.llm.content.rows import Row
    from sessions_app.turns.memory import TurnLease


def eager() -> None:
    """An agent is for one session: another's has another signature, and takes its place."""
    from sessions_app.turns.pool import AgentPool

    lease = AgentPool.lease

    def lease_for_one(pool: AgentPool, user_id: int, session_id: UUID) -> AbstractAsyncContextManager[TurnLease]:
        pool._signature = str(session_id)
        return lease(pool, user_id, session_id)

    AgentPool.lease = lease_for_one  # type: ignore[method-assign, assignment]


def clock() -> None:
    """Nothing is frozen: each transcript that is read gets a system prompt of its own."""
    from sessions_app.llm.cached_transcript import CachedTranscript
    from sessions_app.turns import memory

    class Clocked(CachedTranscript):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._time = f" The time is {datetime.now(UTC).isoformat()}."

        def messages(self, groups: Iterable[Sequence[Row]]) -> list[ModelMessage]:
            messages = super().messages(groups)
            prompt = cast("SystemPromptPart", messages[0].parts[0])
            prompt.content += self._time
            return messages

    memory.CachedTranscript = Clocked  # type: ignore[attr-defined]


def fresh() -> None:
    """A summary is asked for with a prompt of its own, and stands in the system prompt from then on."""
    from sessions_app.llm.cached_transcript import CachedTranscript
    from sessions_app.llm.content.prefix import FrozenPrefix
    from sessions_app.llm.content.rows import Row
    from sessions_app.llm.content.summaries import INSTRUCTION, said_of, summary_of
    from sessions_app.turns import memory

    class Summarised(CachedTranscript):
        def append(self, row: Row) -> None:
            if summary_of(row):
                self._summary = f"\n\n{said_of(row)}"
            else:
                super().append(row)

        def messages(self, groups: Iterable[Sequence[Row]]) -> list[ModelMessage]:
            messages = super().messages(groups)
            prompt = cast("SystemPromptPart", messages[0].parts[0])
            prompt.content += getattr(self, "_summary", "")
            return messages

    async def beginning(own: memory.TurnMemory, position: int | None, longest: int | None) -> CachedTranscript:
        transcript = await whole(own, position, longest)
        said = b"\n".join([transcript.elements, *(row.text.encode() for row in transcript._rows)]).decode()
        prefix = FrozenPrefix(INSTRUCTION, ())
        return CachedTranscript(transcript.session_id, prefix, transcript.model, [Row("user", said)])

    whole = memory.TurnMemory.beginning
    memory.TurnMemory.beginning = beginning  # type: ignore[method-assign, assignment]
    memory.CachedTranscript = Summarised  # type: ignore[attr-defined]


VARIANTS = {"eager": eager, "clock": clock, "fresh": fresh}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hermes_site.settings")
    django.setup()
    for name in sys.argv.pop(1).split(","):
        VARIANTS[name]()
    execute_from_command_line(sys.argv)
