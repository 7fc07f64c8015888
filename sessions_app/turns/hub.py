"""Bring notifications to the connections of this process.

All of one user's connections get the project's own facts; run events go to those that have
opened the session. Everything happens in the event loop, and ``deliver`` never waits, so an
event reaches all of them in one order.

Opening is the delicate moment: the transcript is read in a thread while events go on. From
``hold`` to ``release`` the connection's events of that session are kept back. What was read
last is, by then, the state that this process is in (the reader sees to that), so the run
events kept back are already part of it, and only the facts, which may be told twice, follow.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from ag_ui.core import BaseEvent, CustomEvent


@dataclass(frozen=True)
class Notification:
    """One event of one session; ``seq`` and ``run_id`` are None for the project's own facts."""

    session_id: UUID
    run_id: UUID | None
    seq: int | None
    event: BaseEvent

    @cached_property
    def text(self) -> str:
        """The JSON-RPC notification, encoded once for all connections."""
        run_id = "null" if self.run_id is None else f'"{self.run_id}"'
        return (
            '{"jsonrpc":"2.0","method":"session.event","params":'
            f'{{"session_id":"{self.session_id}","run_id":{run_id},"seq":{json.dumps(self.seq)},'
            f'"event":{self.event.model_dump_json(by_alias=True)}}}}}'
        )


class Connection(Protocol):
    """What the hub needs of a connection; hashed by identity."""

    user_id: int

    def deliver(self, notification: Notification) -> None:
        """Take a notification to send; must not wait, and must not fail."""


@dataclass(slots=True)
class _Subscriptions:
    opened: set[UUID] = field(default_factory=set)
    held: dict[UUID, list[Notification]] = field(default_factory=dict)


class Hub:
    """The connections of this process, by user. Lives as long as the process."""

    def __init__(self) -> None:
        self._users: dict[int, dict[Connection, _Subscriptions]] = defaultdict(dict)

    def attach(self, connection: Connection) -> None:
        """Begin to deliver the user's facts to a connection."""
        self._users[connection.user_id][connection] = _Subscriptions()

    def detach(self, connection: Connection) -> None:
        """Deliver nothing more to a connection."""
        self._users[connection.user_id].pop(connection, None)
        if not self._users[connection.user_id]:
            del self._users[connection.user_id]

    def connections(self, user_id: int) -> list[Connection]:
        """Return the user's connections in this process."""
        return list(self._users.get(user_id, ()))

    def hold(self, connection: Connection, session_id: UUID) -> None:
        """Begin to open a session: keep its events back until ``release``."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is not None:
            subscriptions.held.setdefault(session_id, [])

    def release(self, connection: Connection, session_id: UUID, *, opened: bool) -> None:
        """End what ``hold`` began; called right after the answer to session.open was queued."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is None:
            return
        if opened:
            subscriptions.opened.add(session_id)
        for notification in subscriptions.held.pop(session_id, []):
            answered = opened and notification.seq is not None
            if notification.run_id is None or (session_id in subscriptions.opened and not answered):
                connection.deliver(notification)

    def close(self, connection: Connection, session_id: UUID) -> None:
        """Deliver no more run events of a session to a connection."""
        subscriptions = self._users.get(connection.user_id, {}).get(connection)
        if subscriptions is not None:
            subscriptions.opened.discard(session_id)

    def publish(self, user_id: int, notification: Notification) -> None:
        """Deliver a notification to those connections of the user that are to see it."""
        for connection, subscriptions in list(self._users.get(user_id, {}).items()):
            held = subscriptions.held.get(notification.session_id)
            if held is not None:
                held.append(notification)
            elif notification.run_id is None or notification.session_id in subscriptions.opened:
                connection.deliver(notification)

    def custom(self, user_id: int, session_id: UUID, name: str, value: Any) -> None:
        """Publish one of the project's own facts; ``value`` is a shape or plain JSON."""
        plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
        self.publish(user_id, Notification(session_id, None, None, CustomEvent(name=name, value=plain)))
