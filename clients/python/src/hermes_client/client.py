"""A user's chats over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, cast
from weakref import WeakSet

from hermes_client.chat import Chat
from hermes_client.connection import Connection
from hermes_client.errors import HermesError, NotFound
from hermes_client.journal import Journal
from hermes_client.types import ChoiceShape, FactNotification, Notice, SessionShape


async def connect(url: str, token: str, *, cursor: int | None = None) -> Client:
    """Return a client that is connected, and connects again by itself until it is closed.

    ``url`` is the WebSocket's (``wss://HOST/ws/chat/``). With the ``cursor`` that an earlier client had, `facts` begin
    after it. Raises Denied, OSError, and of ``websockets`` what a handshake raises.
    """
    client = Client(url, token, cursor)
    await client.start()
    return client


class Client:
    """Made by `connect`; an asynchronous context manager that closes it at its end."""

    def __init__(self, url: str, token: str, cursor: int | None) -> None:
        self._connection = Connection(url, token, self)
        self._journal = Journal(cursor, self._connection.ask, self._tell, self._reset)
        self._chats: dict[str, Chat] = {}
        # As long as somebody reads them.
        self._listeners: WeakSet[asyncio.Queue[FactNotification | HermesError | None]] = WeakSet()
        self._end: HermesError | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Connect: `connect` does it."""
        await self._connection.start()

    async def close(self) -> None:
        """Close the connection. Turns go on."""
        for task in self._tasks:
            task.cancel()
        await self._connection.close()

    @property
    def cursor(self) -> int:
        """That of the last fact: with it another client goes on from here."""
        return self._journal.cursor or 0

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result of any method of docs/api.md, as JSON has it. Raises Refused, Disconnected, Denied.

        Disconnected: the connection was lost before the answer, and sending it again might do it twice.
        """
        return await self._connection.call(method, params)

    async def sessions(self, **params: Any) -> AsyncIterator[SessionShape]:
        """Yield sessions, newest activity first; takes what ``session.list`` does. Raises Refused."""
        page: str | None = ""
        while page is not None:
            result = await self.call("session.list", **params, **({"cursor": page} if page else {}))
            for session in result["sessions"]:
                yield session
            page = result["next_cursor"]

    async def profiles(self) -> list[ChoiceShape]:
        """Return the profiles that this user may choose. Raises Refused."""
        return cast("list[ChoiceShape]", (await self.call("profile.list"))["profiles"])

    async def create(self, **params: Any) -> Chat:
        """Make a session (``title``, ``profile``, ``memory``) and open it. Raises Refused, Disconnected."""
        return await self.open((await self.call("session.create", **params))["session"]["id"])

    async def open(self, session_id: str, *, limit: int = 50) -> Chat:
        """Open a session with its last messages; the same chat where it is open. Raises Refused."""
        if session_id in self._chats:
            return self._chats[session_id]
        chat = self._chats[session_id] = Chat(self, session_id, limit)
        try:
            await self.reopen(chat)
        except BaseException:
            self.forget(chat)
            raise
        return chat

    def facts(self) -> AsyncIterator[FactNotification | None]:
        """Yield what becomes true of the user's sessions from here on, in order, each once.

        None stands for facts that are no longer kept, after a very long time without a connection: fetch again.
        Raises Denied, and Disconnected where the client is closed.
        """
        queue: asyncio.Queue[FactNotification | HermesError | None] = asyncio.Queue()
        self._listeners.add(queue)
        if self._end is not None:
            queue.put_nowait(self._end)
        return _heard(queue)

    # What a chat needs.

    async def request(self, method: str, params: dict[str, Any], take: Callable[[Any], Any]) -> Any:
        """Send a request of a chat."""
        return await self._connection.call(method, params, take)

    def mend(self, chat: Chat) -> None:
        """Open a chat's session again soon."""
        self._spawn(self.reopen(chat))

    def forget(self, chat: Chat) -> None:
        """Tell a chat nothing more."""
        self._chats.pop(chat.id, None)

    async def reopen(self, chat: Chat) -> None:
        """Open a chat's session, and tell it what it lacks."""
        await self._open(chat, self._connection.call)

    async def _open(self, chat: Chat, ask: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        def hold(result: Any) -> Any:
            chat.following.hold(result)
            return result

        result = await ask("session.open", {"session_id": chat.id, "limit": chat.limit}, hold)
        if self.cursor < result["cursor"]:
            await self._journal.catch_up()
        chat.opened(result)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        async def carry_out() -> None:
            with suppress(HermesError):  # the next handshake does it again
                await work

        task = asyncio.create_task(carry_out())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What the connection tells.

    def hear(self, notice: Notice) -> None:
        """Take a notification."""
        if notice["run_id"] is not None:
            if (chat := self._chats.get(notice["session_id"])) is not None:
                chat.following.hear_event(notice)
        elif not self._journal.hear(notice):
            self._spawn(self._journal.catch_up())

    async def greet(self) -> None:
        """After a handshake: open what is open, and tell what was missed. Raises Refused, Disconnected."""
        await self._journal.begin()
        for chat in list(self._chats.values()):
            try:
                await self._open(chat, self._connection.ask)
            except NotFound:
                chat.following.end("deleted", "The chat was deleted.")
                self.forget(chat)
        await self._journal.catch_up()

    def ended(self, error: HermesError) -> None:
        """Take the news that there will be no connection again."""
        self._end = error
        for chat in self._chats.values():
            chat.following.lose(error)
        for queue in self._listeners:
            queue.put_nowait(error)

    def _tell(self, fact: FactNotification) -> None:
        if (chat := self._chats.get(fact["session_id"] or "")) is not None:
            chat.hear_fact(fact)
        for queue in self._listeners:
            queue.put_nowait(fact)

    def _reset(self) -> None:
        for chat in self._chats.values():
            chat.following.doubt()
        for queue in self._listeners:
            queue.put_nowait(None)


async def _heard(
    queue: asyncio.Queue[FactNotification | HermesError | None],
) -> AsyncIterator[FactNotification | None]:
    while not isinstance(fact := await queue.get(), HermesError):
        yield fact
    raise fact
