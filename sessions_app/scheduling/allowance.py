"""What one user's work may take of a process's time: at once what they have saved, and then a fraction of it.

A turn for each (``queue``) bounds how long anybody waits for another's piece of work. It does not bound how much of the
interpreter and of the processor one user takes as long as the others do not wait just there; but those are everybody's.
So what a user's work has taken is counted, by the clock, where it is carried out, and who has used up what they saved
waits until they have saved it again. Nothing is refused: what waits, waits in its user's own order.

One user's pieces are counted when they end, so ``at_once`` of them may be under way beyond what is left. Nobody waits
longer than LONGEST_WAIT: the clock also counts a database, or a machine, that stood still.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_WAIT = 60.0
"""Seconds that a piece of work waits at most, whatever its user's pieces before it took."""
# Seconds: sums of floats are not exact.
_ROUNDING = 1e-6


class Account:
    """What one user has used. Charged in any thread, asked in the event loop."""

    room: asyncio.Semaphore

    def __init__(self, ahead: float, fraction: float, clock: Callable[[], float]) -> None:
        self.users = 0
        # When all that was used will have been saved again.
        self.full_at = 0.0
        self._ahead = ahead
        self._fraction = fraction
        self._clock = clock
        self._lock = Lock()

    def counted(self, work: Callable[P, R]) -> Callable[P, R]:
        """Return work that is charged for by the seconds that it takes, also where nobody waits for it any more."""

        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            began = self._clock()
            try:
                return work(*args, **kwargs)
            finally:
                self._charge(began)

        return counted

    def _charge(self, began: float) -> None:
        with self._lock:
            now = self._clock()
            full_at = max(self.full_at, now) + (now - began) / self._fraction
            self.full_at = min(full_at, now + self._ahead + LONGEST_WAIT)


class Allowance:
    """The accounts of all users of a process, for one kind of work.

    ``saved``: the seconds of work that a user may have done at once; ``fraction``: how much of the time after that;
    ``at_once``: how many pieces of one user are under way together. ``clock`` tells seconds that never run back.
    """

    def __init__(
        self, *, saved: float, fraction: float, at_once: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ahead = saved / fraction
        self._fraction = fraction
        self._at_once = at_once
        self._clock = clock
        # In the order of their last use.
        self._accounts: OrderedDict[Hashable, Account] = OrderedDict()

    @asynccontextmanager
    async def use(self, user: Hashable) -> AsyncIterator[Account]:
        """Wait until a user may have a piece of work done, and until it ended hold its place."""
        account = self._account(user)
        account.users += 1
        try:
            async with account.room:
                while (wait := account.full_at - self._clock() - self._ahead) > _ROUNDING:  # noqa: ASYNC110 - for time
                    await asyncio.sleep(wait)
                yield account
        finally:
            account.users -= 1

    def _account(self, user: Hashable) -> Account:
        now = self._clock()
        while self._accounts and _is_idle(next(iter(self._accounts.values())), now):
            self._accounts.popitem(last=False)
        if user not in self._accounts:
            self._accounts[user] = Account(self._ahead, self._fraction, self._clock)
        self._accounts.move_to_end(user)
        account = self._accounts[user]
        if not account.users:
            # Of the loop that uses it now: a process has one, a run of tests has many.
            account.room = asyncio.Semaphore(self._at_once)
        return account


def _is_idle(account: Account, now: float) -> bool:
    return not account.users and account.full_at <= now
