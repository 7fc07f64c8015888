"""Small reads by Django's async ORM, which nobody waits for.

All async calls of the ORM in a process share one thread (asgiref's) with one connection, so each waits for those
before it. Whatever somebody waits for goes to the threads of our own (``hops``), which share their time fairly. Here
is what those lack that Django's calls would otherwise do without:

1. A connection is given back after each read, whatever came of it: nothing else does that in this thread.
2. One that was lost is no news. PostgreSQL ends all that the pool keeps at once, so the pool is asked for those that
   live, and the read is tried again, once.
3. A read that is stuck, or waits behind one, is given up after ``READ_SECONDS``. Its thread may be stuck for longer:
   the next read then brings its connection back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import Error, InterfaceError, OperationalError, close_old_connections

from sessions_app.database.hops import forget_lost_connections

R = TypeVar("R")

# As long as a server that vanished without a word is waited for (settings: ``tcp_user_timeout``).
READ_SECONDS = 20.0
_give_back = sync_to_async(close_old_connections)
_forget_lost = sync_to_async(forget_lost_connections)


async def read(query: Callable[[], Awaitable[R]]) -> R:
    """Return what an async query of the ORM finds.

    Raises what the database says the second time, and TimeoutError.
    """
    async with asyncio.timeout(READ_SECONDS):
        try:
            return await _read(query)
        except (InterfaceError, OperationalError):
            await _forget_lost()
            return await _read(query)


async def _read(query: Callable[[], Awaitable[R]]) -> R:
    # No `finally`: a read that is cancelled would wait in it for the thread that it is stuck in.
    try:
        found = await query()
    except Error:
        await _give_back()
        raise
    await _give_back()
    return found
