"""One turn of a chat, for those who read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from hermes_client.errors import HermesError, RunFailed
from hermes_client.telling import Event
from hermes_client.types import MessageShape


class Feed:
    """A run's events so far, and word of more. Lives as long as somebody reads it or the run goes on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.message: MessageShape | None = None
        self.over = False
        self.lost: HermesError | None = None
        self.more = asyncio.Event()

    def add(self, events: Iterable[Event]) -> None:
        """Let readers have events; RUN_FINISHED and RUN_ERROR are the last."""
        for event in events:
            self.events.append(event)
            self.over = event["type"] in ("RUN_FINISHED", "RUN_ERROR")
        self._wake()

    def lose(self, error: HermesError) -> None:
        """Tell readers that nothing more comes."""
        self.lost = error
        self._wake()

    def _wake(self) -> None:
        self.more.set()
        self.more = asyncio.Event()


class Run:
    """A turn: its events from the first on, for as many readers as there are, whenever they begin.

    Iterate over it for AG-UI's events (as JSON has them), over `texts` for the words alone; await `answer` for the
    answer as a whole. Nothing of it is lost or doubled where the connection is.
    """

    def __init__(self, session_id: str, run_id: str, feed: Feed, stop: Callable[[str], Awaitable[bool]]) -> None:
        self.id = run_id
        self.session_id = session_id
        self._feed = feed
        self._stop = stop

    @property
    def message(self) -> MessageShape | None:
        """The answer's message, once it is stored."""
        return self._feed.message

    @property
    def outcome(self) -> Event | None:
        """The event that ended the turn, RUN_FINISHED or RUN_ERROR; None while it goes on."""
        return self._feed.events[-1] if self._feed.over else None

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield each event. Raises Denied, and Disconnected where the client is closed meanwhile."""
        feed, told = self._feed, 0
        while True:
            while told < len(feed.events):
                told += 1
                yield feed.events[told - 1]
            if feed.over:
                return
            if feed.lost is not None:
                raise feed.lost
            await feed.more.wait()

    async def texts(self) -> AsyncIterator[str]:
        """Yield the answer's text, piece by piece, with an empty line between its steps. Raises RunFailed."""
        spoken = ""
        async for event in self:
            if event["type"] == "TEXT_MESSAGE_CONTENT":
                if spoken and event["messageId"] != spoken:
                    yield "\n\n"
                spoken = event["messageId"]
                yield event["delta"]
            elif event["type"] == "RUN_ERROR":
                raise RunFailed(event.get("code") or "", event["message"])

    async def answer(self) -> MessageShape | None:
        """Return the answer's message when the turn has ended; None where it was stopped before a word.

        Raises RunFailed.
        """
        async for _ in self.texts():
            pass
        return self.message

    async def stop(self) -> bool:
        """Stop the turn; the text so far is kept. False: it had ended before. Raises Refused, Disconnected."""
        return await self._stop(self.id)
