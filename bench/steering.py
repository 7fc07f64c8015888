"""What a provider has to read again after an edit early in a long conversation: `python -m bench steering`.

One session of 1,000 messages. A turn leaves its prompt in the provider's cache; then a message near the beginning is
edited, and an answer regenerated. Counted are the bytes of each prompt behind what it has in common with any prompt
before. The floor is what an ideal client's prompts have: it makes them of the stored rows by itself.
"""

from __future__ import annotations

import json
from itertools import takewhile
from pathlib import Path
from typing import Any

from bench.client import Client
from bench.floor import Floor
from bench.provider import PLAIN, Provider
from bench.report import Figure, Section
from bench.site import World
from tests.databases import Database
from tests.engine.ideal import request_of
from tests.providers.tokens import prompt_of

MESSAGES, EDITED = 1_000, 10


class Reader:
    """Counts what is new in each prompt, as a provider does that keeps every one."""

    def __init__(self) -> None:
        self._seen: list[bytes] = []

    def read(self, body: dict[str, Any]) -> int:
        """Bytes of a request's prompt that no earlier one begins with."""
        prompt = prompt_of(body)
        common = max((_common(prompt, earlier) for earlier in self._seen), default=0)
        self._seen.append(prompt)
        return len(prompt) - common


def _common(one: bytes, other: bytes) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


async def after_an_edit(folder: Path, provider: Provider) -> list[Section]:
    """The figures of an edit and of a regeneration."""
    world = World(folder, provider.url)
    seed, database = world.seed(1, [MESSAGES]), Database(world.env["DATABASE_URL"])
    [session_id] = seed.sessions
    host, ideal, figures = Reader(), Reader(), []
    with world.site() as site:
        async with Client(site.url, seed.tokens[0]) as client, Floor(provider.url) as floor:

            async def count(name: str, whole: bool) -> None:
                [body] = await floor.bodies(1)
                here, least = host.read(json.loads(body)), ideal.read(request_of(database, session_id))
                ratio = f"{here / least:.3f}" if least else "same"
                beside = f"{here:,} of {len(body):,} bytes; floor {least:,}" + ("" if whole else "; NOT WHOLE")
                figures.append(Figure(name, ratio, "1.01", beside))

            await client.ask("session.open", session_id=session_id)
            whole = (await client.turn(session_id)).whole
            await count("a turn that is read for the first time", whole)
            early, _ = await client.ask("session.messages", session_id=session_id, before=EDITED + 1, limit=1)
            [message] = early["messages"]
            again = {"session_id": session_id}
            edit = {"message_id": message["id"], "text": PLAIN.text}
            for name, method, params in (
                ("the last answer regenerated", "turn.regenerate", again),
                (f"message {EDITED} of {MESSAGES:,} edited", "message.edit", edit),
                ("its answer regenerated", "turn.regenerate", again),
            ):
                await count(name, (await client.steer(method, params, PLAIN)).whole)
    return [Section("Bytes of a prompt that are new to the provider, to the floor", figures)]
