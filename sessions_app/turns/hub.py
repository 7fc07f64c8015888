"""Bring notifications to the connections of this process.

All of one user's connections get the project's own facts; run events go to those that have
opened the session. Everything happens in the event loop, and ``deliver`` never waits, so an
event reaches all of them in one order.

Opening is the delicate moment: the transcript is read in a thread while events go on. From
``hold`` to ``release`` the connection's events of that session are kept back. What was read
last is, by then, the state that this process is in (the reader sees to that), so the events
of its own runs that were kept back are already part of it. Those of other processes' runs
come later than what they tell of: they are part of it up to the ``seq`` that was answered, or
where the reader has seen the end of their run. The facts, which may be told twice, follow.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from ag_ui.core import BaseEvent, CustomEvent, EventType

from sessions_app.shapes import RunShape

# A pair for ``news``, as JSON has it: what the fact is about, and a message's id or a revision.
Follows = list[str | int] | None

_LAST = {EventType.RUN_FINISHED, EventType.RUN_ERROR}


@dataclass(frozen=True, slots=True)
class Notification:
    """One event of one session; ``seq`` and ``run_id`` are None for the project's own facts.

    ``text`` is the JSON-RPC notification, encoded once for all connections and processes;
    ``last`` tells the event that ends a run, ``follows`` what a fact says in the order of facts (``news``).
    """

    session_id: UUID
    run_id: UUID | None
    seq: int | None
    text: str
    last: bool = False
    follows: Follows = None

    @classmethod
    def of(
        cls, session_id: UUID, run_id: UUID | None, seq: int | None, event: BaseEvent, follows: Follows = None
    ) -> Notification:
        """Encode an event."""
        run = "null" if run_id is None else f'"{run_id}"'
        text = (
            '{"jsonrpc":"2.0","method":"session.event","params":'
            f'{{"session_id":"{session_id}","run_id":{run},"seq":{json.dumps(seq)},'
            f'"event":{event.model_dump_json(by_alias=True)}}}}}'
        )
        return cls(session_id, run_id, seq, text, event.type in _LAST, follows)


def fact(session_id: UUID, name: str, value: Any) -> Notification:
    """Encode one of the project's own facts; ``value`` is a shape or plain JSON."""
    plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    return Notification.of(session_id, None, None, CustomEvent(name=name, value=plain), _follows(name, plain))


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


@dataclass(slots=True)
class _Held:
    """Events kept back while a session is opened; ``ours`` tells those of this process's own runs."""

    events: list[tuple[Notification, bool]] = field(default_factory=list)

    def since(self, run: RunShape | None, ended: frozenset[UUID]) -> list[Notification]:
        """Return those that what was read does not contain."""
        return [told for told, ours in self.events if not _contained(told, ours, run, ended)]


def _contained(told: Notification, ours: bool, run: RunShape | None, ended: frozenset[UUID]) -> bool:
    if told.run_id is None or (run is not None and told.run_id == run.run_id):
        return told.seq is not None and run is not None and told.seq <= run.seq
    if told.seq is None:
        return told.run_id in ended
    return ours or told.run_id in ended


@dataclass(slots=True)
class _Subscriptions:
    opened: set[UUID] = field(default_factory=set)
    held: dict[UUID, _Held] = field(default_factory=dict)


class Hub:
    """The connections of this process, by user. Lives as long as the process.

    ``came`` and ``left`` are told of a user's first and last connection.
    """

    def __init__(self, came: Callable[[int], None], left: Callable[[int], None]) -> None:
        self._users: dict[int, dict[Connection, _Subscriptions]] = defaultdict(dict)
        self._came, self._left = came, left

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
            subscriptions.held.setdefault(session_id, _Held())

    def held_runs(self, connection: Connection, session_id: UUID) -> frozenset[UUID]:
        """Return the runs of which events are kept back."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        held = subscriptions and subscriptions.held.get(session_id)
        return frozenset(told.run_id for told, _ in held.events if told.run_id) if held else frozenset()

    def release(self, connection: Connection, session_id: UUID, run: RunShape | None, ended: frozenset[UUID]) -> None:
        """End what ``hold`` began; called right after the answer to session.open was queued.

        ``run`` and ``ended`` are the running turn as answered, and the runs whose ends were read.
        """
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is None:
            return
        subscriptions.opened.add(session_id)
        for notification in subscriptions.held.pop(session_id, _Held()).since(run, ended):
            connection.deliver(notification)

    def give_up(self, connection: Connection, session_id: UUID) -> None:
        """End what ``hold`` began where the session could not be opened: as if nothing had been kept back."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is None:
            return
        for notification, _ in subscriptions.held.pop(session_id, _Held()).events:
            if notification.run_id is None or session_id in subscriptions.opened:
                connection.deliver(notification)

    def close(self, connection: Connection, session_id: UUID) -> None:
        """Deliver no more run events of a session to a connection."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is not None:
            subscriptions.opened.discard(session_id)

    def deliver(self, user_id: int, notification: Notification, *, ours: bool = True) -> None:
        """Deliver a notification to those connections of the user that are to see it.

        ``ours`` is False for what another process has told.
        """
        for connection, subscriptions in list(self._users.get(user_id, {}).items()):
            held = subscriptions.held.get(notification.session_id)
            if held is not None:
                held.events.append((notification, ours))
            elif notification.run_id is None or notification.session_id in subscriptions.opened:
                connection.deliver(notification)
