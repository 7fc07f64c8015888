"""All methods, by name: each module here holds those of one subject, with what they take, answer and refuse.

A handler gets validated parameters and the call. It reaches the database only through
``call.caller``, which checks that the caller may still act, or asks it to check first.
"""

from __future__ import annotations

import asyncio
from functools import cache

from sessions_app.api import openrpc
from sessions_app.api.method import Call, Method
from sessions_app.api.method_types import NoParams
from sessions_app.api.methods import account, memory, sessions, sharing, transcripts, turns
from sessions_app.api.openrpc import Description


@cache
def description() -> Description:
    """Return the description of all methods, at no server yet."""
    return openrpc.describe(METHODS.values())


async def _discover(call: Call, params: NoParams) -> Description:
    """Describe the API: what ``/api/openrpc.json`` answers."""
    await call.caller.check()
    described = await asyncio.to_thread(description)
    return described.at(call.server)


_SUBJECTS = (sessions, transcripts, turns, sharing, memory, account)
METHODS = {method.name: method for subject in _SUBJECTS for method in subject.METHODS}
METHODS["rpc.discover"] = Method("rpc.discover", NoParams, Description, _discover)


def changes(name: str) -> bool:
    """Tell whether a method changes what is stored; one that is not there does not."""
    return name in METHODS and METHODS[name].changes


def defers_events(name: str) -> bool:
    """Tell whether events wait for the answer of a method."""
    return name in METHODS and (METHODS[name].changes or METHODS[name].reflects)
