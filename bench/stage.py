"""One run of a workload: the hosts, their users' connections, and what every turn was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

from bench.client import Client
from bench.files import add_file
from bench.program import Program
from bench.site import Site
from bench.timing import Timing
from tests.databases import Database
from tests.engine import outside
from tests.engine.ideal import Body, request_of, summary_request_of
from tests.engine.model import LETTERS

_SAID = "The sea is deep and old there. "
_LONG, _SHORT = 60, 4
DOCUMENT = b"".join(b"On page %d the report says that the sea is deep and old there.\n" % page for page in range(1, 61))
"""Of some 4,000 characters."""
_AGAIN = "failed, attempt"
"""What the host's log says of a request that it makes once more."""


@dataclass(frozen=True, slots=True)
class Recital:
    """Whatever is asked, the engine recites the alphabet."""

    text: str
    answer: str = LETTERS


@dataclass(slots=True)
class Chat:
    """A session, by a user's number, and how many turns it has had.

    Its name is one letter, so that any two part at the same place: for a new conversation the engine takes whichever
    it keeps that has a letter more in common with it, and loses the rest of that one.
    """

    name: str
    user: int
    session_id: str
    turns: int = 0

    def next(self) -> Recital:
        """What is asked next: first a text longer than system prompt and tools, then something short.

        Else the engine would take two sessions that begin alike for one and the same, and not keep what differs.
        """
        self.turns += 1
        return Recital(f"{self.name}, {self.turns}: " + _SAID * (_SHORT if self.turns > 1 else _LONG))


@dataclass
class Stage:
    """Where a workload is played. `start` starts a host, on `database`.

    `turns` are all that were had; `requests`, for the ideal client, what was asked in each moment.
    """

    start: Callable[[], AbstractContextManager[Site]]
    tokens: Sequence[str]
    database: Database
    hosts: int
    turns: list[Timing] = field(default_factory=list)
    requests: list[list[Body]] = field(default_factory=list)
    chats: list[Chat] = field(default_factory=list)
    again: int = 0
    _sites: list[Site] = field(default_factory=list)
    _clients: list[list[Client]] = field(default_factory=list)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open(self) -> None:
        """Start the hosts, connect every user to each, and open there what sessions there are."""
        self._sites = [self._open.enter_context(self.start()) for _ in range(self.hosts)]
        self._clients = [
            [await self._open.enter_async_context(Client(site.url, token)) for token in self.tokens]
            for site in self._sites
        ]
        for chat in self.chats:
            await self._show(chat)

    async def close(self) -> None:
        """Stop the hosts."""
        await self._open.aclose()
        self.again += sum(_AGAIN in line for site in self._sites for line in site.process.output)

    async def restart(self) -> None:
        """Stop them and start them anew."""
        await self.close()
        await self.open()

    async def chat(self, user: int = 0) -> Chat:
        """A new session of a user."""
        created, _ = await self._clients[0][user].ask("session.create")
        chat = Chat(ascii_uppercase[len(self.chats)], user, created["session"]["id"])
        await self._show(chat)
        self.chats.append(chat)
        return chat

    async def _show(self, chat: Chat) -> None:
        for clients in self._clients:
            await clients[chat.user].ask("session.open", session_id=chat.session_id)

    async def say(self, *chats: Chat, at: int = 0) -> None:
        """A turn of each of these sessions, all at once, at one of the hosts."""
        clients = self._clients[at]
        self.turns += await asyncio.gather(*(clients[chat.user].turn(chat.session_id, chat.next()) for chat in chats))
        summaries = [summary_request_of(self.database, chat.session_id) for chat in chats]
        if made := [body for body in summaries if body is not None]:
            self.requests.append(made)
        self.requests.append([request_of(self.database, chat.session_id) for chat in chats])

    async def document(self, turns: int) -> None:
        """The first user asks about a document, so many times; it comes with the second question."""
        chat = await self.chat()
        for number in range(turns):
            files = [await add_file(self._sites[0].url, self.tokens[0], "report.txt", DOCUMENT)] if number == 1 else []
            client = self._clients[0][0]
            self.turns.append(await client.turn(chat.session_id, chat.next(), files=files))
            self.requests.append([request_of(self.database, chat.session_id)])

    async def program(self, turns: int) -> None:
        """A program of the first user's that sends all that was said, each time, has so many turns."""
        async with Program(self._sites[0].url, self.tokens[0]) as program:
            chat = Chat(ascii_uppercase[len(self.chats)], 0, "")
            for _ in range(turns):
                self.turns.append(await program.turn(chat.next()))
                chat.session_id = program.session_id
                self.requests.append([request_of(self.database, chat.session_id)])
        self.chats.append(chat)

    async def regenerate(self, chat: Chat) -> None:
        """The user asks for another answer to what they said last."""
        await self._steer(chat, "turn.regenerate", {"session_id": chat.session_id}, Recital(""))

    async def edit_own(self, chat: Chat, number: int) -> None:
        """The user edits one of their messages of the line; 0 is the first."""
        opened, _ = await self._clients[0][chat.user].ask("session.open", session_id=chat.session_id, limit=200)
        said = [message["id"] for message in opened["messages"] if message["role"] == "user"]
        recital = chat.next()
        await self._steer(chat, "message.edit", {"message_id": said[number], "text": recital.text}, recital)

    async def _steer(self, chat: Chat, method: str, params: dict[str, Any], recital: Recital) -> None:
        self.turns.append(await self._clients[0][chat.user].steer(method, params, recital))
        self.requests.append([request_of(self.database, chat.session_id)])

    def set_window(self, tokens: int | None) -> None:
        """Say what the window of every profile's model holds."""
        self.database.run("UPDATE sessions_app_agentprofile SET context = %s", tokens)

    def append(self, chat: Chat) -> None:
        """Another program writes a message."""
        outside.append(self.database, chat.session_id)

    def edit(self, chat: Chat) -> None:
        """Another program rewrites what the user said in the middle."""
        outside.edit(self.database, chat.session_id, chat.turns // 2)
