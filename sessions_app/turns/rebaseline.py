"""The re-baseline after a turn: what its agent has seen becomes what our own writes have made of the session.

Its steps, once the turn's end is stored and told:

1. The baseline moves over the turn's own rows and over nothing else. It needs no read for that, and no await comes
   before it: a turn that was queued begins after this, and finds the baseline moved.
2. The live stamp is read. Our own writes move the revision that clients were told, in their own transaction; where that
   is behind the stamp, somebody else has written.
3. That is told to the open tabs at once (``transcript.changed``), not by the poll of the next second. The baseline has
   stayed behind such a write, so the session's next turn reads its transcript anew.

Step 2 runs in the thread of Django's async ORM calls. All of these in a process share it, so it would be wrong for
anything that somebody waits for. Nobody waits for this: the end was told and the next turn launched before, and a
turn's own reads and writes go through threads of our own. It is one small read a turn, by primary key, and the only use
that the process makes of that thread; a stuck one holds up the same read of other turns and nothing else, and is given
up after seconds. Where it fails, step 1 stands, and the poll tells what was written.
"""

from __future__ import annotations

import logging

from django.db import Error

from sessions_app import database
from sessions_app.journal import foreign
from sessions_app.realtime.publishing import Publisher
from sessions_app.turn_store.ending import Stored
from sessions_app.turns.memory import TurnMemory

logger = logging.getLogger(__name__)


async def rebaseline(memory: TurnMemory, stored: Stored | None, publisher: Publisher) -> None:
    """Move the baseline over what the turn's end has ``stored``, and tell what others have written meanwhile.

    Awaited while the turn's lease lives. A database that cannot be read is logged and not raised.
    """
    if stored is not None:
        memory.take_in(stored)
    owner_id, session_id = memory.owner_id, memory.session_id
    try:
        if await foreign.is_behind(session_id):
            await publisher.write(database.of(owner_id), foreign.tell, [(owner_id, session_id)])
    except (Error, TimeoutError) as error:
        logger.warning("session %s could not be read after its turn: %s", session_id, type(error).__name__)
