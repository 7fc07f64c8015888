"""One user who does at once all that is dear for a host: `python -m bench.adversary SECONDS TOKEN URL…`.

With a login: sockets up to their limit and beyond it, large formulas, commands, searches, answers that fifteen
sockets hear, turns that queue. Without one: heads that never end, bodies of 300 MB and forms without end, guesses at
passwords, sign-ups. It ends by itself, and then prints how often it did what, and the CPU seconds that it used. It is
nice to the rest of the machine: what it is to take is the host's time, not the core that both are on.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from bench.client import Client
from bench.provider import Shape
from bench.wire import Refused

# The dearest texts that the limits of Markdown let through.
FORMULAS = ("$" + "x^{2}" * 199 + "$\n\n") * 100
ANSWER = Shape(chunks=500, pause=20)
RENDERING, COMMANDING, SEARCHING, LISTENING = 15, 8, 5, 15
AHEAD = 10
HEADS = 150
# Seconds between two of one kind: it is the host's time that is to be taken, and this program has little of its own.
PAUSE = 0.05
PATIENCE = 60.0
FAILURES = (OSError, EOFError, KeyError, Refused, TimeoutError, httpx2.HTTPError)
Habit = Callable[[str], Awaitable[None]]


class Adversary:
    """What it does to each host, over and over. `done` counts."""

    def __init__(self, token: str) -> None:
        self.done: Counter[str] = Counter()
        self._token = token

    async def rage(self, urls: list[str], seconds: float) -> None:
        """Do all of it at once for so many seconds."""
        by_login: list[Habit] = [self.render, self.command, self.search, self.fan_out, self.queue, self.connect]
        without: list[Habit] = [self.begin_heads, self.send_body, self.send_fields, self.guess, self.sign_up]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for url in urls:
                    for habit in by_login + without:
                        group.create_task(self._again(habit, url))

    async def _again(self, habit: Habit, url: str) -> None:
        while True:
            with suppress(*FAILURES):
                await habit(url)
            await asyncio.sleep(PAUSE)

    async def _flood(self, url: str, sockets: int, method: str, params: Callable[[], dict[str, Any]]) -> None:
        """Keep many requests of a method waiting on each of some sockets."""
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(Client(url, self._token)) for _ in range(sockets)]
            while True:
                asked = [self._ask(client, method, **params()) for client in clients for _ in range(AHEAD)]
                await asyncio.gather(*asked)

    async def _ask(self, client: Client, method: str, **params: Any) -> None:
        """Ask, whatever the answer; a socket that is closed gives none."""
        async with asyncio.timeout(PATIENCE):
            try:
                await client.ask(method, **params)
                self.done[method] += 1
            except KeyError:
                self.done[f"{method}, refused"] += 1

    async def render(self, url: str) -> None:
        # Each text another one: none is known from before.
        await self._flood(url, RENDERING, "markdown.render", lambda: {"texts": [f"{uuid4()}\n\n{FORMULAS}"]})

    async def command(self, url: str) -> None:
        await self._flood(url, COMMANDING, "session.list", lambda: {"limit": 200})

    async def search(self, url: str) -> None:
        await self._flood(url, SEARCHING, "session.search", lambda: {"query": "the sea"})

    async def fan_out(self, url: str) -> None:
        """Have many sockets hear one long answer."""
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(Client(url, self._token)) for _ in range(LISTENING)]
            session_id = await clients[0].open_new()
            for client in clients[1:]:
                await client.ask("session.open", session_id=session_id)
            for _ in range(AHEAD):
                await self._ask(clients[0], "turn.start", session_id=session_id, text=ANSWER.text)
            await asyncio.sleep(ANSWER.seconds)
            await clients[0].ask("session.delete", session_id=session_id)

    async def queue(self, url: str) -> None:
        """Queue turns in chat after chat."""
        async with Client(url, self._token) as client:
            session_id = await client.open_new()
            for _ in range(AHEAD):
                await self._ask(client, "turn.start", session_id=session_id, text=ANSWER.text)
            await asyncio.sleep(1)
            await client.ask("session.delete", session_id=session_id)

    async def connect(self, url: str) -> None:
        """Ask for more sockets than there are."""
        async with Client(url, self._token) as client:
            self.done["socket"] += 1
            self.done[f"socket, closed with {await client.wire.closed}"] += 1

    async def begin_heads(self, url: str) -> None:
        """Begin many requests, and end none."""
        streams = [await self._open(url, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ") for _ in range(HEADS)]
        for reader, writer in streams:
            await reader.read()
            writer.close()
            self.done["head that never ended"] += 1

    async def send_body(self, url: str) -> None:
        """Send 300 MB, once with their length and once in chunks."""
        chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        for field, piece in (("Content-Length: 314572800", b"x" * 65_536), ("Transfer-Encoding: chunked", chunk)):
            head = f"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{field}\r\n\r\n".encode()
            reader, writer = await self._open(url, head)
            with suppress(OSError):
                for _ in range(4_800):
                    writer.write(piece)
                    await writer.drain()
                    if reader.at_eof():
                        break
            writer.close()
            self.done["large body"] += 1

    async def send_fields(self, url: str) -> None:
        """Send a form of 600,000 fields."""
        async with self._http(url) as client:
            await self._post(client, "/accounts/login/", {"a": ["1"] * 600_000})

    async def guess(self, url: str) -> None:
        """Guess at somebody else's password."""
        async with self._http(url) as client:
            await self._post(client, "/accounts/login/", {"username": "user1", "password": str(uuid4())})

    async def sign_up(self, url: str) -> None:
        """Sign up with a name that nobody has."""
        async with self._http(url) as client:
            password = str(uuid4())
            form = {"username": uuid4().hex, "password1": password}
            await self._post(client, "/accounts/signup/", form)

    async def _post(self, client: httpx2.AsyncClient, path: str, form: dict[str, Any]) -> None:
        await client.get(path)
        form = {"csrfmiddlewaretoken": client.cookies["csrftoken"], **form}
        answer = await client.post(path, data=form)
        self.done[f"form at {path}, {answer.status_code}"] += 1

    def _http(self, url: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=url, timeout=PATIENCE)

    async def _open(self, url: str, begin: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(begin)
        return reader, writer


def main() -> None:
    os.nice(10)
    seconds, token, *urls = sys.argv[1:]
    adversary = Adversary(token)
    asyncio.run(adversary.rage(urls, float(seconds)))
    print(json.dumps([adversary.done, time.process_time()]))


if __name__ == "__main__":
    main()
