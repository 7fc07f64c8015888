"""A script: a process that tells webhooks what has happened, and is killed at a point that its argument names.

`python -m tests.webhooks.doomed collecting|claimed|sent|answered|settling`; the environment names the database. It says
when it has come to the point, and stays there: within a transaction where the point is in one.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import django

django.setup()

from sessions_app.webhooks import collecting, rows  # noqa: E402
from sessions_app.webhooks.running import Webhooks  # noqa: E402


def stay(point: str) -> None:
    print(f"point {point}", flush=True)
    threading.Event().wait()


def before(point: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def stopped(*arguments: Any) -> Any:
        stay(point)
        return work(*arguments)

    return stopped


def behind(point: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Stay when the work is done, and its transaction is not committed."""

    def stopped(*arguments: Any) -> None:
        work(*arguments)
        stay(point)

    return stopped


async def main(point: str) -> None:
    match point:
        case "collecting":
            collecting.collect = behind(point, collecting.collect)
        case "claimed":
            Webhooks._sent = before(point, Webhooks._sent)  # type: ignore[method-assign]
        case "answered":
            rows.settle = before(point, rows.settle)
        case "settling":
            rows.settle = behind(point, rows.settle)
    await Webhooks().poll()
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
