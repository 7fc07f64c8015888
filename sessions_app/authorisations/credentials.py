"""What a call of a tool server says whose it is: a user's access token, fetched fresh where it has ended.

Refresh tokens are good for one use at most servers, and who uses one twice loses all. So of all calls of all processes
one fetches (``rows.claim_refresh``), and the others wait until the row has changed. The fetch is a task of its own: a
turn that is stopped meanwhile does not take the fresh tokens with it.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

from django.utils import timezone

from sessions_app import database
from sessions_app.authorisations import rows, tokens
from sessions_app.authorisations.errors import AuthorisationError, NotConnected, Refused
from sessions_app.authorisations.fetching import Reach
from sessions_app.authorisations.rows import Kept
from sessions_app.authorisations.tokens import LOST, Grant
from sessions_app.models import ToolServer

MARGIN = timedelta(seconds=30)
"""A token that ends so soon is taken for ended: a call takes its time."""
PAUSE = 0.2
"""Seconds between two looks at the row, while another call fetches."""
_LOOKS = int(rows.REFRESH_LEASE.total_seconds() / PAUSE) + 2
_fetches: set[asyncio.Task[Grant]] = set()


async def access_token(user_id: int, server: ToolServer, refused: str | None = None) -> str:
    """Return the access token of a user for a tool server; not the one that it has just refused.

    Raises NotConnected, where the user has to connect, and AuthorisationError, where it may work later.
    """
    lane = database.of(user_id)
    for _ in range(_LOOKS):
        kept = await lane.read(rows.find, user_id, server)
        if kept is None:
            raise NotConnected("The user has not connected to it.")
        if not _has_ended(kept, refused):
            return kept.grant.tokens.access_token
        call = uuid.uuid4()
        if await lane.write(rows.claim_refresh, kept, call):
            # Used however short its life: to look again could go on for ever.
            return (await _fetched(user_id, server, kept, call)).tokens.access_token
        await asyncio.sleep(PAUSE)
    raise AuthorisationError("The authorisation is being refreshed for too long.")


def _has_ended(kept: Kept, refused: str | None) -> bool:
    if kept.grant.tokens.access_token == refused:
        return True
    return kept.expires_at is not None and kept.expires_at <= timezone.now() + MARGIN


async def _fetched(user_id: int, server: ToolServer, kept: Kept, call: uuid.UUID) -> Grant:
    """Fetch fresh tokens, which goes on where the caller is cancelled."""
    fetch = asyncio.create_task(_fetch(user_id, server, kept, call))
    _fetches.add(fetch)
    fetch.add_done_callback(_let_go)
    return await asyncio.shield(fetch)


def _let_go(fetch: asyncio.Task[Grant]) -> None:
    _fetches.discard(fetch)
    if not fetch.cancelled():
        fetch.exception()  # it was raised to the caller, unless nobody waits any more


async def _fetch(user_id: int, server: ToolServer, kept: Kept, call: uuid.UUID) -> Grant:
    lane = database.of(user_id)
    try:
        grant = await tokens.refresh(Reach(server.url), kept.grant)
    except AuthorisationError as error:
        if isinstance(error, Refused) and error.code in LOST:
            await lane.write(rows.end_refused, kept.pk, call)
            raise NotConnected("The authorisation has ended.") from error
        await lane.write(rows.give_up_refresh, kept.pk, call)
        raise
    if not await lane.write(rows.keep_refreshed, kept.pk, call, grant):
        raise NotConnected("The user has disconnected from it.")
    return grant
