"""How a run writes: a transaction with its facts, and what must not be cut in two by a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, Protocol, TypeVar

from sessions_app.database import Door

P = ParamSpec("P")
R = TypeVar("R")


class Write(Protocol):
    """Carries out a transaction and delivers the facts that it wrote."""

    async def __call__(self, door: Door, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what ``work`` returned."""


async def settled(work: Coroutine[Any, Any, R]) -> R:
    """Await ``work`` to its end, also when cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
