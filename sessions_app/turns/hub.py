"""Bring notifications to the connections of this process.

All of one user's connections get the project's own facts; run events go to those that have
opened the session. Everything happens in the event loop, and ``deliver`` never waits, so an
event reaches all of them in one order. That only queues it: what it costs to send it is spread over rounds of the loop
(``pace``), because hundreds of tabs of one user would hold up everybody else's commands.

Opening is the delicate moment: the transcript is read in a thread while events go on, and those
of another process may come seconds after what they tell of was stored. So every opened session
remembers what its client was shown: the transcript's revision, and how far the running turn had
come. A run that began at a later revision is new; of the one shown, what comes after its ``seq`` is;
every other run had ended by then, and its answer was part of what was shown. From ``hold``
to ``release`` events are kept back, because the answer that they follow is still to be sent.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol
from uuid import UUID

from ag_ui.core import BaseEvent, CustomEvent, EventType

from sessions_app.scheduling.pace import Pace
from sessions_app.shapes import RunShape

# A pair for ``news``, as JSON has it: what the fact is about, and a message's id or a revision.
Follows = list[str | int] | None

# Runs of one session, of which one at a time is on: late words are of the last few.
_REMEMBERED = 8
# Frames that a round of the event loop sends, some 0.1 ms each: an event for 500 tabs of one user takes 30 rounds.
FRAMES_PER_ROUND = 16
_LAST = {EventType.RUN_FINISHED, EventType.RUN_ERROR}


@dataclass(frozen=True, slots=True)
class Notification:
    """One event of one session; ``seq`` and ``run_id`` are None for the project's own facts.

    ``text`` is the JSON-RPC notification, encoded once for all connections and processes;
    ``last`` tells the event that ends a run, ``began`` the transcript's revision when the run had begun (None:
    not known), ``follows`` what a fact says in the order of facts (``news``).
    """

    session_id: UUID
    run_id: UUID | None
    seq: int | None
    text: str
    last: bool = False
    began: int | None = None
    follows: Follows = None

    @classmethod
    def of(
        cls,
        session_id: UUID,
        run_id: UUID | None,
        seq: int | None,
        event: BaseEvent,
        *,
        began: int | None = None,
        follows: Follows = None,
    ) -> Notification:
        """Encode an event."""
        run = "null" if run_id is None else f'"{run_id}"'
        text = (
            '{"jsonrpc":"2.0","method":"session.event","params":'
            f'{{"session_id":"{session_id}","run_id":{run},"seq":{json.dumps(seq)},'
            f'"event":{event.model_dump_json(by_alias=True)}}}}}'
        )
        return cls(session_id, run_id, seq, text, event.type in _LAST, began, follows)


def fact(session_id: UUID, name: str, value: Any) -> Notification:
    """Encode one of the project's own facts; ``value`` is a shape or plain JSON."""
    plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    return Notification.of(session_id, None, None, CustomEvent(name=name, value=plain), follows=_follows(name, plain))


def _follows(name: str, value: Any) -> Follows:
    match name:
        case "turn.queued":
            return ["waits", value["message_id"]]
        case "turn.withdrawn":
            return ["begun", value["message_id"]]
        case "message.created":
            return ["begun", value["id"]]
        case "session.updated":
            return ["revision", value["revision"]]
    return None


class Connection(Protocol):
    """What the hub needs of a connection; hashed by identity."""

    user_id: int

    def deliver(self, notification: Notification) -> None:
        """Take a notification to send; must not wait, and must not fail."""


class Shown:
    """What a connection was shown of a session: all up to ``revision``, and ``run`` up to its ``seq``."""

    def __init__(self, revision: int, run: RunShape | None) -> None:
        self._revision = revision
        self._runs: dict[UUID | None, float] = {run.run_id: run.seq} if run else {}

    def lacks(self, told: Notification) -> bool:
        """Tell whether a notification says something new; from then on it counts as shown."""
        if told.run_id is None:
            return True
        shown = self._runs.pop(told.run_id, None)
        if shown is None:
            lacks = told.began is None or told.began > self._revision
        else:
            lacks = shown < (inf if told.seq is None else told.seq)
        if shown is not None or lacks:
            self._note(told.run_id, inf if lacks and told.last else told.seq if lacks and told.seq else shown)
        return lacks

    def _note(self, run_id: UUID, seq: float | None) -> None:
        self._runs[run_id] = seq or 0
        if len(self._runs) > _REMEMBERED:
            del self._runs[next(iter(self._runs))]


@dataclass(slots=True)
class _Subscriptions:
    opened: dict[UUID, Shown] = field(default_factory=dict)
    held: dict[UUID, list[Notification]] = field(default_factory=dict)

    def take(self, told: Notification) -> bool:
        """Tell whether a notification is to be delivered."""
        if told.run_id is None:
            return True
        shown = self.opened.get(told.session_id)
        return shown is not None and shown.lacks(told)


class Hub:
    """The connections of this process, by user. Lives as long as the process.

    ``came`` and ``left`` are told of a user's first and last connection. ``pace`` is that of all that is sent to them.
    """

    def __init__(self, came: Callable[[int], None], left: Callable[[int], None]) -> None:
        self._users: dict[int, dict[Connection, _Subscriptions]] = defaultdict(dict)
        self._came, self._left = came, left
        self.pace = Pace(FRAMES_PER_ROUND)

    def attach(self, connection: Connection) -> None:
        """Begin to deliver the user's facts to a connection."""
        if connection.user_id not in self._users:
            self._came(connection.user_id)
        self._users[connection.user_id][connection] = _Subscriptions()

    def detach(self, connection: Connection) -> None:
        """Deliver nothing more to a connection."""
        self._users[connection.user_id].pop(connection, None)
        if not self._users[connection.user_id]:
            del self._users[connection.user_id]
            self._left(connection.user_id)

    @property
    def users(self) -> list[int]:
        """The users who have a connection in this process."""
        return list(self._users)

    @property
    def size(self) -> int:
        """How many connections this process has."""
        return sum(map(len, self._users.values()))

    def connections(self, user_id: int) -> list[Connection]:
        """Return the user's connections in this process."""
        return list(self._users.get(user_id, ()))

    def is_open(self, user_id: int, session_id: UUID) -> bool:
        """Tell whether a connection of the user has opened the session, or is about to."""
        return any(
            session_id in subscriptions.opened or session_id in subscriptions.held
            for subscriptions in self._users.get(user_id, {}).values()
        )

    def hold(self, connection: Connection, session_id: UUID) -> None:
        """Begin to open a session: keep its events back until ``release``."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is not None:
            subscriptions.held.setdefault(session_id, [])

    def release(self, connection: Connection, session_id: UUID, shown: Shown | None) -> None:
        """End what ``hold`` began; called right after the answer to session.open was queued.

        ``shown`` is what was answered; None where the session could not be opened.
        """
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is None:
            return
        if shown is not None:
            subscriptions.opened[session_id] = shown
        for notification in subscriptions.held.pop(session_id, []):
            if subscriptions.take(notification):
                connection.deliver(notification)

    def close(self, connection: Connection, session_id: UUID) -> None:
        """Deliver no more run events of a session to a connection."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is not None:
            subscriptions.opened.pop(session_id, None)

    def deliver(self, user_id: int, notification: Notification) -> None:
        """Deliver a notification to those connections of the user that are to see it."""
        for connection, subscriptions in list(self._users.get(user_id, {}).items()):
            held = subscriptions.held.get(notification.session_id)
            if held is not None:
                held.append(notification)
            elif subscriptions.take(notification):
                connection.deliver(notification)
