"""Small reads in the thread that Django's async calls share, which nobody waits for.

All async calls of the ORM in a process share one thread (asgiref's) with one connection, so each waits for those
before it. Whatever somebody waits for goes to the threads of our own (``hops``), which share their time fairly. Here
is what those lack that Django's calls would otherwise do without:

1. A connection is given back after each read, whatever came of it: nothing else does that in this thread. In the same
   hop, because a second one costs as much as the read.
2. One that was lost is no news. PostgreSQL ends all that the pool keeps at once, so the pool is asked for those that
   live, and the read is tried again, once.
3. A read that is stuck, or waits behind one, is given up after ``READ_SECONDS``. Its thread may be stuck for longer:
   the next read then brings its connection back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections

from sessions_app.database.hops import forget_lost_connections

R = TypeVar("R")

# As long as a server that vanished without a word is waited for (settings: ``tcp_user_timeout``).
READ_SECONDS = 20.0


async def read(query: Callable[[], R]) -> R:
    """Return what a query finds.

    Raises what the database says the second time, and TimeoutError.
    """
    async with asyncio.timeout(READ_SECONDS):
        try:
            return await sync_to_async(partial(_read, query))()
        except (InterfaceError, OperationalError):
            await sync_to_async(forget_lost_connections)()
            return await sync_to_async(partial(_read, query))()


def _read(query: Callable[[], R]) -> R:
    try:
        return query()
    finally:
        close_old_connections()
