"""The client for programs without an event loop: the same words, each call returns when it is done.

The connection lives in a thread of its own, so it is kept, and mends itself, while the program does something else. Its
objects may be used by several threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from hermes_client import chat as chats
from hermes_client import client as clients
from hermes_client import run as runs
from hermes_client.errors import Disconnected
from hermes_client.telling import Event
from hermes_client.types import ChoiceShape, FactNotification, MessageShape, SessionShape, WindowResult

T = TypeVar("T")


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="hermes client", daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns, and raise what it raises."""
        if self._loop.is_closed():
            work.close()
            raise Disconnected("The client is closed.")
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except CancelledError:
            raise Disconnected("The client was closed.") from None

    def each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Yield what an asynchronous iterator yields."""

        async def next_one() -> tuple[T] | None:
            async for item in items:
                return (item,)
            return None

        while (found := self.do(next_one())) is not None:
            yield found[0]

    def end(self) -> None:
        """End the thread and what still waits in it."""
        self.do(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def connect(url: str, token: str, *, cursor: int | None = None) -> Client:
    """Return a client that is connected: see `hermes_client.connect`."""
    loop = _Loop()
    try:
        return Client(loop, loop.do(clients.connect(url, token, cursor=cursor)))
    except BaseException:
        loop.end()
        raise


class Client:
    """`hermes_client.Client`; a context manager that closes it at its end."""

    def __init__(self, loop: _Loop, client: clients.Client) -> None:
        self._loop = loop
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Turns go on."""
        self._loop.do(self._client.close())
        self._loop.end()

    @property
    def cursor(self) -> int:
        """That of the last fact: with it another client goes on from here."""
        return self._client.cursor

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of any method of docs/api.md. Raises Refused, Disconnected, Denied."""
        return self._loop.do(self._client.call(method, **params))

    def sessions(self, **params: Any) -> Iterator[SessionShape]:
        """Yield sessions, newest activity first. Raises Refused."""
        return self._loop.each(self._client.sessions(**params))

    def profiles(self) -> list[ChoiceShape]:
        """Return the profiles that this user may choose. Raises Refused."""
        return self._loop.do(self._client.profiles())

    def create(self, **params: Any) -> Chat:
        """Make a session and open it. Raises Refused, Disconnected."""
        return Chat(self._loop, self._loop.do(self._client.create(**params)))

    def open(self, session_id: str, *, limit: int = 50) -> Chat:
        """Open a session with its last messages. Raises Refused."""
        return Chat(self._loop, self._loop.do(self._client.open(session_id, limit=limit)))

    def facts(self) -> Iterator[FactNotification | None]:
        """Yield what becomes true of the user's sessions: see `hermes_client.Client.facts`."""

        async def listen() -> AsyncIterator[FactNotification | None]:
            return self._client.facts()

        return self._loop.each(self._loop.do(listen()))


class Chat:
    """`hermes_client.Chat`."""

    def __init__(self, loop: _Loop, chat: chats.Chat) -> None:
        self._loop = loop
        self._chat = chat
        self.id = chat.id

    @property
    def session(self) -> SessionShape:
        """The session as it was last told."""
        return self._chat.session

    @property
    def messages(self) -> list[MessageShape]:
        """The messages of its end when it was opened last."""
        return self._chat.messages

    @property
    def running(self) -> Run | None:
        """The turn that is on, whoever has begun it."""
        return Run(self._loop, run) if (run := self._chat.running) is not None else None

    def send(
        self,
        text: str,
        *,
        files: list[str] | None = None,
        message_id: str | None = None,
        revision: int | None = None,
    ) -> Run:
        """Say something. Raises Refused."""
        sending = self._chat.send(text, files=files, message_id=message_id, revision=revision)
        return Run(self._loop, self._loop.do(sending))

    def edit(self, message_id: str, text: str, *, files: list[str] | None = None, new_id: str | None = None) -> Run:
        """Say something in the place of an earlier message. Raises Refused."""
        return Run(self._loop, self._loop.do(self._chat.edit(message_id, text, files=files, new_id=new_id)))

    def regenerate(self, message_id: str | None = None, *, profile: int | None = None) -> Run:
        """Ask for another answer in the place of one, or of the last. Raises Refused, Disconnected."""
        return Run(self._loop, self._loop.do(self._chat.regenerate(message_id, profile=profile)))

    def stop(self) -> bool:
        """Stop the running turn. False: none ran. Raises Refused, Disconnected."""
        return self._loop.do(self._chat.stop())

    def earlier(self, before: int, *, limit: int = 50) -> WindowResult:
        """Return messages before a position. Raises Refused."""
        return self._loop.do(self._chat.earlier(before, limit=limit))

    def close(self) -> None:
        """Hear no more of its turns. They go on. Raises Disconnected."""
        self._loop.do(self._chat.close())


class Run:
    """`hermes_client.Run`: iterate over it for events, over `texts` for words."""

    def __init__(self, loop: _Loop, run: runs.Run) -> None:
        self._loop = loop
        self._run = run
        self.id = run.id

    @property
    def message(self) -> MessageShape | None:
        """The answer's message, once it is stored."""
        return self._run.message

    @property
    def outcome(self) -> Event | None:
        """The event that ended the turn; None while it goes on."""
        return self._run.outcome

    def __iter__(self) -> Iterator[Event]:
        return self._loop.each(aiter(self._run))

    def texts(self) -> Iterator[str]:
        """Yield the answer's text, piece by piece. Raises RunFailed."""
        return self._loop.each(self._run.texts())

    def answer(self) -> MessageShape | None:
        """Return the answer's message when the turn has ended. Raises RunFailed."""
        return self._loop.do(self._run.answer())

    def stop(self) -> bool:
        """Stop the turn. False: it had ended before. Raises Refused, Disconnected."""
        return self._loop.do(self._run.stop())
