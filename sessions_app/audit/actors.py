"""Who acts, and where from: said once at a door, and known to all that is recorded behind it.

A door (the middleware of the pages, a command of the API) says it with ``acting``. Where nobody has, a program acts:
the command that this process was started with.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sessions_app.models import ActorKind

_COMMAND = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a user, perhaps with a token, or a program by its ``name``."""

    kind: ActorKind
    user_id: int | None = None
    token_id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """An actor and the address that they come from, empty where there is none."""

    actor: Actor
    address: str = ""


VISITOR = Actor(ActorKind.VISITOR)
_origin: ContextVar[Callable[[], Origin] | None] = ContextVar("audit_origin", default=None)


def user(user_id: int, token_id: int | None = None) -> Actor:
    """Return a user who acts, by a token if it says so."""
    return Actor(ActorKind.USER, user_id, token_id)


def program(name: str) -> Actor:
    """Return a program of the site's own: a command by its name, or a part of the server."""
    return Actor(ActorKind.PROGRAM, name=name)


@contextmanager
def acting(origin: Callable[[], Origin]) -> Iterator[None]:
    """Have all that is recorded within be of this origin. It is asked for only when something is recorded."""
    before = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(before)


def current() -> Origin:
    """Return who acts here and now."""
    origin = _origin.get()
    return Origin(program(_command())) if origin is None else origin()


def _command() -> str:
    """Return the name of the command that this process runs: ``purge`` of ``manage.py purge``."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    return name if _COMMAND.fullmatch(name) else "unknown"
