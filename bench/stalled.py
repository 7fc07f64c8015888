"""Clients that stop reading while their sessions stream: what they cost the host before it cuts them off.

The answers themselves take memory too (text, checkpoint, transcript), so the same is done with clients that read, in
a process of its own, and what those do not cost is what not reading costs.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import psycopg

from bench.client import Client
from bench.provider import Shape
from bench.report import Figure, Section
from bench.services import Services
from bench.site import Seed, Site, World

READS_TOO_SLOWLY = 4008
# 3 MB: more than the host and the kernel keep for one client. At a pace that the host keeps up with.
FLOOD = Shape(chunks=375, pause=60, size=8_000)
_LOOK_SECONDS = 0.2
_UNDER_WAY = "SELECT count(*) FROM sessions_app_turn WHERE ended_at IS NULL"
# A client that reads again is told at once that it was cut off.
_GOODBYE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Held:
    """MB that the host grew by: at most, and when all answers had ended. The codes that clients were closed with."""

    most: float
    after: float
    codes: list[int]


async def stalled(world: World, running: Services, seed: Seed, count: int) -> Section:
    """`count` users each have one connection and one long answer."""
    reading = await _flooded(world, running, seed, count, stall=False)
    stalling = await _flooded(world, running, seed, count, stall=True)
    cut = stalling.codes.count(READS_TOO_SLOWLY)
    each = (stalling.most - reading.most) * 1024 / count
    return Section(
        f"{count} clients that stop reading, {FLOOD.chunks * FLOOD.size / 1e6:.0f} MB streamed to each",
        [
            Figure("closed with 4008", f"{cut}", f"{count}"),
            Figure(
                "the host grew at most by",
                f"{stalling.most:.0f} MB",
                "",
                f"{reading.most:.0f} MB where they read: {each:+.0f} kB for each that does not",
            ),
            Figure(
                "  when the answers had ended",
                f"{stalling.after:.0f} MB",
                "",
                f"{reading.after:.0f} MB where they read",
            ),
        ],
    )


async def _flooded(world: World, running: Services, seed: Seed, count: int, *, stall: bool) -> Held:
    with world.site() as site:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(Client(site.url, token)) for token in seed.tokens[:count]]
            sessions = [await client.open_new() for client in clients]
            await asyncio.gather(*(client.turn(session) for client, session in zip(clients, sessions, strict=True)))
            before = site.memory.rss
            for client, session in zip(clients, sessions, strict=True):
                client.say(session, FLOOD)
                if stall:
                    client.wire.transport.pause_reading()
            most = await _most_until_ended(site, running)
            after = site.memory.rss
            for client in clients:
                client.wire.transport.resume_reading()
            done, _ = await asyncio.wait([client.wire.closed for client in clients], timeout=_GOODBYE_SECONDS)
            codes = [one.result() for one in done]
    return Held(most - before, after - before, codes)


async def _most_until_ended(site: Site, running: Services) -> float:
    """The most that the host held while turns ran."""
    most, seen = 0.0, False
    async with await psycopg.AsyncConnection.connect(running.database, autocommit=True) as database:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            most = max(most, site.memory.rss)
            [under_way] = await (await database.execute(_UNDER_WAY)).fetchone() or [0]
            if seen and not under_way:
                return most
            seen = seen or under_way > 0
