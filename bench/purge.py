"""What a purge costs those who chat meanwhile: `python -m bench purge`.

A user has old chats, others speak at a steady rate: first alone, then while `manage.py purge` deletes those chats, then
alone again. All in one host, so whatever else the machine does hits all three. (`python -m bench.purge fill …` and
`delete` are the child processes for the first and the second.)
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from bench.crowd import PACED, Crowd, Step
from bench.floor import Floor
from bench.provider import PLAIN, Provider
from bench.report import Figure, Section
from bench.services import services
from bench.site import World, python_of
from bench.timing import median, percentile

DAYS = 30


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """How many chats of how many messages go, and what is spoken meanwhile: turns a second, in steps of seconds."""

    chats: int
    messages: int
    users: int
    rate: float
    step: float


FULL = PurgePlan(chats=1_000, messages=100, users=100, rate=10, step=20)
QUICK = PurgePlan(chats=40, messages=50, users=20, rate=2, step=5)


async def beside_turns(plan: PurgePlan, folder: Path, provider: Provider) -> list[Section]:
    """A section for each database."""
    sections = [await _section("SQLite", plan, World(folder, provider.url), provider)]
    with services() as running:
        return [*sections, await _section("PostgreSQL", plan, World(folder, provider.url, running), provider)]


async def _section(name: str, plan: PurgePlan, world: World, provider: Provider) -> Section:
    seed = world.seed(plan.users)
    _filled(plan, world)
    with world.site() as site:
        site.settle()
        clocks: dict[str, Callable[[], float]] = {"host": lambda: site.cpu, "client": time.process_time}
        async with Floor(provider.url) as floor, Crowd(floor, clocks) as crowd:
            await crowd.connect([site.url], seed.tokens)
            await crowd.everybody(PLAIN)
            alone = [await crowd.hold(plan.rate, plan.step, PACED)]
            beside, took = await _while_purged(plan, crowd, world)
            alone.append(await crowd.hold(plan.rate, plan.step, PACED))
    firsts, least = _firsts(beside), _firsts(alone)
    count = plan.chats * plan.messages
    return Section(
        f"Purge, {name}: {count:,} messages in {plan.chats:,} chats, beside {plan.rate:.0f} turns a second",
        [
            Figure("first token, p99, beside none", f"{percentile(firsts, 99) / percentile(least, 99):.2f} times", "1"),
            Figure(
                "  p50 / p99 beside a purge",
                f"{median(firsts):.0f} / {percentile(firsts, 99):.0f} ms",
                "",
                f"without {median(least):.0f} / {percentile(least, 99):.0f} ms; {len(firsts)} and {len(least)} turns",
            ),
            Figure("answers that did not come whole", str(sum(step.failures for step in (*alone, *beside))), "0"),
            Figure("time of the purge", f"{took:.1f} s", "", f"{count / took:,.0f} messages a second"),
        ],
    )


def _filled(plan: PurgePlan, world: World) -> None:
    command = _command(world, "fill", plan.chats, plan.messages)
    subprocess.run(command, cwd=world.root, env=world.env, check=True)


async def _while_purged(plan: PurgePlan, crowd: Crowd, world: World) -> tuple[list[Step], float]:
    """Speak until the purge has ended; return that, and the seconds that it took, its start included."""
    began = perf_counter()
    command = _command(world, "delete")
    purging = await asyncio.create_subprocess_exec(*command, cwd=world.root, env=world.env)
    ended = asyncio.create_task(purging.wait())
    ended.add_done_callback(lambda _: took.append(perf_counter() - began))
    took: list[float] = []
    steps = []
    while not ended.done():
        steps.append(await crowd.hold(plan.rate, plan.step, PACED))
    if ended.result():
        raise RuntimeError("the purge failed")
    return steps, took[0]


def _command(world: World, *arguments: object) -> list[str]:
    return [python_of(world.root), "-m", "bench.purge", *map(str, arguments)]


def _firsts(steps: list[Step]) -> list[float]:
    return [one.first * 1000 for step in steps for one in step.turns]


def _fill(chats: int, messages: int) -> None:
    from django.contrib.auth.models import User
    from django.db import transaction
    from django.utils.timezone import now

    from bench.seed import make_session
    from sessions_app.models import ChatSession

    owner = User.objects.create(username="leaver", password="!")
    for _ in range(chats):
        with transaction.atomic():
            make_session(owner.pk, messages)
    ChatSession.objects.filter(owner=owner).update(updated_at=now() - timedelta(days=DAYS + 1))


def _delete() -> None:
    from django.core.management import call_command

    from sessions_app.models import RetentionPolicy

    RetentionPolicy.objects.create(days=DAYS)
    call_command("purge", force=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hermes_site.settings")
    import django

    django.setup()
    if sys.argv[1] == "fill":
        _fill(*map(int, sys.argv[2:]))
    else:
        _delete()
