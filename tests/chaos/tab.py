"""A tab: one WebSocket at a time, to one process or another, and the views of the sessions that are open in it."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.api.client import check
from tests.chaos import clock
from tests.chaos.facts import Facts
from tests.chaos.view import Json, View

# Seconds until a client takes a connection that does not answer for dead; more than a busy machine needs to answer.
PATIENCE = 10.0
HANDSHAKE = 5.0
# Notes that are kept of each session.
NOTES = 200
NOT_FOUND, TOO_MANY, CONFLICT, OUR_FAULT = -32001, -32003, -32004, -32603
NOT_AUTHORISED = 4401


class Refused(Exception):
    """The server has answered with an error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.data: Json = error.get("data", {})


class Lost(Exception):
    """The connection went before the answer came."""


class Tab:
    """Stays connected, wherever somebody lets it in, for as long as `live` runs; `choose` names the address to try.

    `views` has a view of each session that is open here: it outlives connections, and is mended after each; so does
    `facts`, what is known from facts alone. `heard` is what was last heard of each session.
    """

    def __init__(self, name: str, token: str, choose: Callable[[], str], chance: random.Random) -> None:
        self.name = name
        self.views: dict[str, View] = {}
        self.facts = Facts()
        self.counts: Counter[str] = Counter()
        self.heard: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=NOTES))
        self._headers = {"Authorization": f"Bearer {token}"}
        self._choose = choose
        self._chance = chance
        self._absence = 0.0
        self._address = ""
        self._socket: ClientConnection | None = None
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._connected = asyncio.Event()
        self._ids = itertools.count(1)
        self._asked: dict[Any, str] = {}
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._mending: dict[int, str] = {}
        self._asking_since: int | None = None

    def drop(self, absence: float = 0.0) -> None:
        """Lose the connection without a word; come back after so many seconds, wherever it may be."""
        if self._socket is not None:
            self._absence = absence
            self._socket.transport.abort()

    def open(self, session_id: str) -> None:
        """Follow a session from now on, or look again."""
        self.views.setdefault(session_id, View())
        self._mend(session_id)

    async def look(self, session_id: str) -> None:
        """Open a session, and return when it is open here, or known to be deleted."""
        view = self.views.setdefault(session_id, View())
        while not view.known:
            with suppress(Lost, Refused):
                await self.call("session.open", session_id=session_id, limit=200)

    async def call(self, method: str, **params: Any) -> Json:
        """The answer to a request. Raises Refused, Lost."""
        await self._connected.wait()
        answer = self._ask(method, params)
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            self.counts["unanswered"] += 1
            self.drop()
            raise Lost from None

    def _ask(self, method: str, params: Json) -> asyncio.Future[Json]:
        request_id = next(self._ids)
        self._asked[request_id] = method
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        # Who asked may have gone by the time that it fails.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        if method == "session.open":
            self._mending[request_id] = params["session_id"]
        if method == "events.since":
            self._asking_since = request_id
        frame = json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        self._outgoing.put_nowait(frame)
        return answer

    def _mend(self, session_id: str) -> None:
        """Open a session again, unless that is under way, or is done anyway when the connection is back."""
        if self._connected.is_set() and session_id not in self._mending.values():
            self._ask("session.open", {"session_id": session_id, "limit": 200})

    def _ask_since(self) -> None:
        """Ask for the facts that are missing, unless that is under way."""
        if self._asking_since is None:
            self._ask("events.since", {"cursor": self.facts.cursor, "limit": 50})

    async def live(self) -> None:
        """Raises what the server has no right to do."""
        while True:
            with suppress(OSError, TimeoutError, InvalidHandshake, ConnectionClosed):
                async with await self._connect() as socket:
                    try:
                        await self._follow(socket)
                    finally:
                        self._forget(socket)
            await asyncio.sleep(self._chance.uniform(0.05, 0.3) + self._absence)
            self._absence = 0.0

    async def _connect(self) -> ClientConnection:
        async with asyncio.timeout(HANDSHAKE):
            self._address = self._choose()
            return await connect(
                self._address,
                additional_headers=self._headers,
                proxy=None,
                max_size=None,
                # Some clients soon find out that nobody answers, some wait.
                ping_interval=self._chance.choice((2, 20)),
                ping_timeout=2,
                close_timeout=0.5,
            )

    async def _follow(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._outgoing = asyncio.Queue()
        self._connected.set()
        self.counts["connections"] += 1
        self.facts.connected()
        self._ask_since()
        for session_id, view in self.views.items():
            self._note(session_id, "connected")
            if not view.gone:
                self._mend(session_id)
        sending = asyncio.create_task(self._send(socket, self._outgoing))
        try:
            async for frame in socket:
                self._hear(check(str(frame), self._asked))
        finally:
            sending.cancel()

    async def _send(self, socket: ClientConnection, outgoing: asyncio.Queue[str]) -> None:
        with suppress(ConnectionClosed):
            while True:
                await socket.send(await outgoing.get())

    def _forget(self, socket: ClientConnection) -> None:
        self._socket = None
        self._connected.clear()
        self._mending.clear()
        self._asking_since = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Lost())
        self._answers.clear()
        self.counts[f"closed with {socket.close_code}"] += 1
        assert socket.close_code != NOT_AUTHORISED, self.name

    def _hear(self, frame: Json) -> None:
        if "method" in frame:
            self._told(frame["params"])
            return
        answer, opened = self._answers.pop(frame["id"]), self._mending.pop(frame["id"], None)
        if opened is not None:
            self._opened(self.views[opened], opened, frame)
        if frame["id"] == self._asking_since:
            self._asking_since = None
            if "error" in frame or not self.facts.answered(frame["result"]):
                self._ask_since()
        if answer.done():
            return
        if "error" in frame:
            answer.set_exception(Refused(frame["error"]))
        else:
            answer.set_result(frame["result"])

    def _told(self, params: Json) -> None:
        session_id = params["session_id"]
        if params["run_id"] is None and not self.facts.notified(params):
            self.counts["gaps among facts"] += 1
            self._ask_since()
        view = self.views.get(session_id)
        if view is None:
            return
        self._note(session_id, params["run_id"], params["seq"], params["event"]["type"], params["event"].get("name"))
        if not view.take(params) and session_id not in self._mending.values():
            self.counts["gaps"] += 1
            self._mend(session_id)

    def _note(self, session_id: str, *what: object) -> None:
        self.heard[session_id].append(" ".join(map(str, (clock.now(), self._address, *what))))

    def _opened(self, view: View, session_id: str, frame: Json) -> None:
        if "result" in frame:
            view.adopt(frame["result"])
            self._note(session_id, "opened", len(view.messages), view.run)
        elif frame["error"]["code"] == NOT_FOUND:
            view.gone = True
        else:
            assert frame["error"]["code"] == OUR_FAULT, frame
            self.counts["internal errors"] += 1
            asyncio.get_running_loop().call_later(0.5, self._mend, session_id)
