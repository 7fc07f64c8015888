"""A turn in two steps, and clients that have it."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hermes_client import Client, connect
from tests.clients.cutting import Cutting
from tests.live import LiveSite
from tests.processes import ROOT, Process
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

NODE = str(ROOT / ".venv" / "bin" / "node")
PROGRAMS = ROOT / "tests" / "clients" / "javascript"
SAID = ["Let me see.", "It is 42."]
THOUGHT = "It is easy."


def steps(model: Provider, **last: Any) -> None:
    """Have the model call a tool, with a thought before, and then answer."""
    call = Call("calculator", '{"expression":"6*7"}')
    model.script(
        Answer(reasoning=["It is ", "easy."], words=["Let me ", "see."], calls=[call]),
        Answer(words=["It ", "is ", "42."], **last),
    )


@asynccontextmanager
async def through(proxy: Cutting, site: LiveSite, user: str) -> AsyncIterator[Client]:
    async with await connect(proxy.url, site.tokens[user]) as client:
        yield client


async def made(site: LiveSite, user: str) -> str:
    async with await connect(site.ws_url, site.tokens[user]) as client:
        return (await client.create()).id


def program(site: LiveSite, user: str, name: str, *arguments: str) -> Process:
    """Run a program of javascript/ as a user."""
    env = {**os.environ, "HERMES_URL": site.ws_url, "HERMES_TOKEN": site.tokens[user]}
    return Process([NODE, str(PROGRAMS / name), *arguments], env)


def javascript_turns(site: LiveSite, user: str, turns: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return what the JavaScript client tells of a turn in each session, each at an address."""
    process = program(site, user, "cut.js", json.dumps(turns))
    code = process.wait()
    assert (code, len(process.output)) == (0, len(turns)), process.output
    return [json.loads(line) for line in process.output]
