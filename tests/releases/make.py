"""A script: makes the files of a release; `python -m tests.releases.make NAME`. See the package.

With `--talk` in place of a name it is the process that fills the database.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from tests.live import ENVIRONMENT, manage
from tests.processes import finish
from tests.providers.script import Answer, Call, Gate

if TYPE_CHECKING:
    from tests.providers.fixtures import Provider
    from tests.turns.host import Host

FOLDER = Path(__file__).parent


def make(name: str) -> None:
    """Fill a new database, and write it down with what this code makes of it."""
    with tempfile.TemporaryDirectory() as folder:
        database, small = Path(folder) / "full.sqlite3", Path(folder) / "small.sqlite3"
        manage("setup", env={"DATABASE_URL": f"sqlite:///{database}"})
        run("tests.releases.make", "--talk", database=database)
        with closing(sqlite3.connect(database)) as full:
            full.execute("VACUUM INTO ?", [str(small)])
        packed = gzip.compress(small.read_bytes(), mtime=0)
        (FOLDER / f"{name}.sqlite3.gz").write_bytes(packed)
        (FOLDER / f"{name}.json").write_text(run("tests.releases.measure", database=small))


def run(module: str, *arguments: str, database: Path) -> str:
    """What a script of ours prints, run over a database."""
    env = {**os.environ, **ENVIRONMENT, "HERMES_TURNS_PER_MINUTE": "1000", "DATABASE_URL": f"sqlite:///{database}"}
    done = finish([sys.executable, "-m", module, *arguments], env)
    done.check_returncode()
    return done.stdout


async def talk() -> None:
    """One session on each wire: thoughts, tools, and answers that end in all ways there are."""
    from django.contrib.auth import get_user_model

    from sessions_app import database
    from sessions_app.models import AgentProfile, ChatSession
    from tests.llm.talking import WIRES
    from tests.releases.measure import connected
    from tests.turns.host import Host, new_session

    user = await database.write(get_user_model().objects.create_user, "owner")
    host = await Host.start(user.pk)
    with connected() as provider:
        for model in WIRES:
            profile = await database.write(AgentProfile.objects.create, name=model, model=model)
            session_id = await new_session(user.pk)
            await database.write(ChatSession.objects.filter(pk=session_id).update, profile=profile)
            await _fill(host, provider, session_id)
        await host.runner.drain(0)
    database.close()


async def _fill(host: Host, provider: Provider, session_id: UUID) -> None:
    calls = [Call("calculator", '{ "expression":"6 * 7"}'), Call("search_chats", '{"query": "Äpfel"}')]
    provider.script(
        Answer(["I ", "look."], reasoning=["Let ", "me see."], calls=calls),
        Answer(["It ", "is 42: ", "ä\u2028🎈"], reasoning=["So."]),
    )
    await host.turn(session_id, 'What is 6 * 7? "ä\u2028" \\ 🎈')
    provider.script(Answer(["<think>", "Hm.", "</think>", "The ", "answer."]))
    await host.turn(session_id, "And in words?")
    provider.script(Answer(["Half ", "of it"], reasoning=["Well."], cut=1))
    await host.turn(session_id, "What broke off?")
    provider.script(Answer(status=403))
    await host.turn(session_id, "What was refused?")
    gate = Gate()
    provider.script(Answer(["One ", "two"], reasoning=["Counting."], gates={1: gate}))
    asked = await host.ask(session_id, "What was stopped?")
    await host.listener.until(lambda event: event["event"].get("delta") == "One ")
    await host.stop(session_id)
    await host.listener.end_of(asked.run_id)
    gate.open()
    await host.turn(session_id, "Once more.")


if __name__ == "__main__":
    if sys.argv[1] == "--talk":
        import django

        django.setup()
        asyncio.run(talk())
    else:
        make(sys.argv[1])
