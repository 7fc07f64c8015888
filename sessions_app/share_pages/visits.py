"""Who opens a link: a user who is signed in, or a visitor, and what either may ask for.

A user is bounded as at the other doors. Visitors are bounded by address, in requests and in how many are under way, and
all together in how many of them are under way and in the time of the database and of the renderer that they take. So
however many come, users wait for them as for one other user. Each process counts for itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.conf import settings

from sessions_app import database
from sessions_app.api import auth, identifying
from sessions_app.api.auth import Caller
from sessions_app.api.limits import Limits, address_of
from sessions_app.share_pages.rendering import VISITORS

P = ParamSpec("P")
R = TypeVar("R")

VISITS_PER_ADDRESS, VISITS = 20, 100
"""How many may be under way at once: of visitors from one address, and of all."""
_BUSY_SECONDS = 5.0


class TooManyVisits(Exception):
    """One too many; ``wait`` says for how many seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Visit:
    """A request by a user (``caller``) or by a visitor."""

    caller: Caller | None

    @property
    def user(self) -> int:
        """Whose time is used."""
        return self.caller.user_id if self.caller else VISITORS

    async def read(self, function: Callable[..., R], *args: Any) -> R:
        """Run ``function`` on one snapshot, with ``is_user``: whether who asks is signed in. Raises Unauthorised."""
        if self.caller is not None:
            return await self.caller.read(partial(function, *args, is_user=True))
        async with auth.READS.use(VISITORS) as account:
            return await database.of(VISITORS).read(account.counted(partial(function, *args, is_user=False)))


@asynccontextmanager
async def visit(scope: Mapping[str, Any], limits: Limits) -> AsyncIterator[Visit]:
    """Let somebody in for one request. Raises TooManyVisits."""
    cookies = [(name, value) for name, value in scope["headers"] if name == b"cookie"]
    caller = await identifying.identify(cookies, identifying.address_of(scope))
    address = address_of(dict(scope))
    wait = limits.commands.excess(caller.user_id) if caller else limits.visits.excess(address)
    if wait:
        raise TooManyVisits(wait)
    places: list[tuple[Hashable, int]]
    if caller:
        places = [(caller.user_id, settings.HERMES_CONNECTIONS_PER_USER)]
    else:
        places = [(address, VISITS_PER_ADDRESS), (VISITORS, VISITS)]
    taken = [key for key, limit in places if limits.connections.take(key, limit)]
    try:
        if len(taken) < len(places):
            raise TooManyVisits(_BUSY_SECONDS)
        yield Visit(caller)
    finally:
        for key in taken:
            limits.connections.give_back(key)
