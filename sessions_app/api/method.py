"""What a method of the API is, and what its handler gets: the call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from sessions_app.api.auth import Caller
from sessions_app.api.method_types import Params
from sessions_app.conversations.shape import Shape
from sessions_app.errors import CommandError
from sessions_app.realtime.subscriptions import Subscription
from sessions_app.turns.runner import Runner
from sessions_app.turns.service import TurnService

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, what their connection receives, and the absolute address that it was made to."""

    caller: Caller
    subscription: Subscription
    runner: Runner
    server: str

    @property
    def service(self) -> TurnService:
        """What is asked of turns."""
        return self.runner.service

    async def write(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Carry out a transaction as the caller; the facts that it writes are delivered."""
        return await self.runner.publisher.write(self.caller, work, *args, **kwargs)


Handler = Callable[[Call, Any], Awaitable[Shape]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API. ``errors`` are those beside the ones that all have: JSON-RPC's, and TooMany
    (commands).

    One that ``changes`` nothing of what is stored is dropped when its client has gone. Events that arrive while one
    that changes something is carried out, or one whose response is a moment of the journal (``reflects``), come after
    its response. What is ``of_account`` concerns all the chats of a user: a token of one profile is refused.
    """

    name: str
    params: type[Params]
    result: type[Shape]
    handler: Handler
    errors: tuple[type[CommandError], ...] = ()
    changes: bool = False
    reflects: bool = False
    of_account: bool = False
