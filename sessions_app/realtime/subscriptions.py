"""Who of this process's clients receives what, and in which order.

All of one user's connections receive the user's facts; run events go to those that have opened the session. Everything
happens in the event loop, and ``deliver`` never waits, so a notice reaches all of them in one order. That only queues
it: what it costs to send it is spread over rounds of the loop (``pace``), because hundreds of tabs of one user would
hold up everybody else's commands.

Two rules hold for each connection.

1. What a command causes comes after the command's answer. A notice that arrives while commands are carried out is held
   until those have been answered; what comes later waits behind it, so the order stays. Commands that begin afterwards
   hold up nothing that is held already: whoever keeps asking is told all the same.
2. ``session.open`` answers one moment: all facts up to a cursor, and the running turn up to a ``seq``. Of run events
   the connection then receives what comes after: of the run that was answered those after that ``seq``, and whole the
   runs whose turn began after that cursor. Every other run had ended by then, and its answer was among the messages.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sessions_app.conversations.features import Denied
from sessions_app.realtime.notices import Notice, RunNotice, account_notice
from sessions_app.scheduling.pace import Pace

# Frames that a round of the event loop sends, some 0.1 ms each: an event for 500 tabs of one user takes 30 rounds.
FRAMES_PER_ROUND = 16


@dataclass(frozen=True, slots=True)
class Opened:
    """What a connection was answered when it opened a session: facts up to ``cursor``, a run up to its ``seq``."""

    cursor: int
    run_id: UUID | None
    seq: int

    def lacks(self, notice: RunNotice) -> bool:
        """Whether an event says something new."""
        if notice.run_id == self.run_id:
            return notice.seq is None or notice.seq > self.seq
        return notice.began > self.cursor


class Subscription:
    """What one connection receives. Lives as long as the connection; ``send`` must not wait, and must not fail.

    ``denied`` is what the client was last told that its user may not use; None where it has not asked.
    """

    def __init__(self, user_id: int, send: Callable[[str], None]) -> None:
        self.user_id = user_id
        self._send = send
        self.opened: dict[UUID, Opened] = {}
        self.denied: Denied | None = None
        self._opening: list[UUID] = []
        self._commands = 0
        self._unanswered: set[int] = set()
        # Each with the commands that were unanswered when it came.
        self._held: deque[tuple[set[int], Notice]] = deque()

    @contextmanager
    def opening(self, session_id: UUID) -> Iterator[None]:
        """Have a session count as open while it is read: of a run that begins meanwhile nothing must be missed."""
        self._opening.append(session_id)
        try:
            yield
        finally:
            self._opening.remove(session_id)

    def has_open(self, session_id: UUID) -> bool:
        """Tell whether a session is open, or about to be."""
        return session_id in self.opened or session_id in self._opening

    def open(self, session_id: UUID, opened: Opened) -> None:
        """Receive a session's run events from here on."""
        self.opened[session_id] = opened

    def close(self, session_id: UUID) -> None:
        """Receive no more run events of a session."""
        self.opened.pop(session_id, None)

    def tell_denied(self, denied: Denied) -> None:
        """Tell a client that has asked what its user may use, where that is otherwise now."""
        if self.denied is not None and denied != self.denied:
            self.denied = denied
            self.deliver(account_notice(denied))

    def begin_command(self) -> int:
        """Note that a command is carried out; return what ``end_command`` takes."""
        self._commands += 1
        self._unanswered.add(self._commands)
        return self._commands

    def end_command(self, command: int) -> None:
        """Send what was held for a command: its answer was queued, or there will be none."""
        self._unanswered.discard(command)
        for waits_for, _ in self._held:
            waits_for.discard(command)
        while self._held and not self._held[0][0]:
            self._pass_on(self._held.popleft()[1])

    def deliver(self, notice: Notice) -> None:
        """Take a notice for this connection."""
        if self._held or self._unanswered:
            self._held.append((set(self._unanswered), notice))
        else:
            self._pass_on(notice)

    def _pass_on(self, notice: Notice) -> None:
        if isinstance(notice, RunNotice):
            opened = self.opened.get(notice.session_id)
            if opened is None or not opened.lacks(notice):
                return
        elif notice.closes is not None:
            self.close(notice.closes)
        self._send(notice.text)


class Watcher(Protocol):
    """Who is told of a user's first and last connection in this process."""

    def user_came(self, user_id: int) -> None:
        """The user has a connection now."""

    def user_left(self, user_id: int) -> None:
        """The user has none any more."""


class Subscriptions:
    """The connections of this process, by user. Lives as long as the process."""

    def __init__(self, watcher: Watcher) -> None:
        self._users: dict[int, dict[Subscription, None]] = defaultdict(dict)
        self._watcher = watcher
        self.pace = Pace(FRAMES_PER_ROUND)

    def add(self, subscription: Subscription) -> None:
        """Begin to deliver to a connection."""
        is_first = subscription.user_id not in self._users
        self._users[subscription.user_id][subscription] = None
        if is_first:
            self._watcher.user_came(subscription.user_id)

    def remove(self, subscription: Subscription) -> None:
        """Deliver nothing more to a connection, if that was not done before."""
        if not self.has(subscription.user_id):
            return
        own = self._users[subscription.user_id]
        own.pop(subscription, None)
        if not own:
            del self._users[subscription.user_id]
            self._watcher.user_left(subscription.user_id)

    def has(self, user_id: int) -> bool:
        """Whether the user has a connection in this process."""
        return user_id in self._users

    @property
    def users(self) -> list[int]:
        """The users who have a connection in this process."""
        return list(self._users)

    @property
    def size(self) -> int:
        """How many connections this process has."""
        return sum(map(len, self._users.values()))

    @property
    def open_sessions(self) -> set[tuple[int, UUID]]:
        """The sessions that are open here, each with its user."""
        return {
            (user_id, session_id) for user_id, own in self._users.items() for each in own for session_id in each.opened
        }

    def is_open(self, user_id: int, session_id: UUID) -> bool:
        """Tell whether a connection of the user has opened the session, or is about to."""
        return any(each.has_open(session_id) for each in self._users.get(user_id, ()))

    def deliver(self, user_id: int, notice: Notice) -> None:
        """Deliver a notice to those connections of the user that are to receive it."""
        for subscription in list(self._users.get(user_id, ())):
            subscription.deliver(notice)
