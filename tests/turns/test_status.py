"""A turn's status changes as the one table says, and nowhere else."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.db.models.functions import Now

import sessions_app
from sessions_app import database
from sessions_app.conversations import turn_status
from sessions_app.conversations.turn_status import TRANSITIONS, ForbiddenTransition
from sessions_app.models import Turn, TurnStatus
from sessions_app.session_store import chats
from tests.turns.host import stored_turn

pytestmark = pytest.mark.one_database

FINAL = set(TurnStatus) - TRANSITIONS.keys()


def test_what_is_final_changes_to_nothing() -> None:
    assert {*TRANSITIONS[TurnStatus.RUNNING], TurnStatus.WITHDRAWN} == FINAL


def made(user: AbstractUser, status: TurnStatus) -> Turn:
    session_id = chats.create(user.pk, "").id
    claimed = {"claim": session_id, "heartbeat_at": Now()}
    return Turn.objects.create(
        owner_id=user.pk, chat_session_id=session_id, message_id=session_id, text="t", status=status, **claimed
    )


async def changed(turn: Turn, before: TurnStatus, after: TurnStatus) -> tuple[int, ...]:
    """How many rows it changes when it is asked for twice; none where it is forbidden."""

    def change() -> int:
        return turn_status.change(Turn.objects.filter(pk=turn.pk), before, after)

    try:
        return await database.write(change), await database.write(change)
    except ForbiddenTransition:
        return ()


async def test_only_what_the_table_has_is_changed(user: AbstractUser) -> None:
    found, wanted = {}, {}
    for before, after in product(TurnStatus, TurnStatus):
        turn = await database.write(made, user, before)
        rows = await changed(turn, before, after)
        found[before, after] = rows, (await stored_turn(turn.run_id)).status
        wanted[before, after] = ((1, 0), after) if after in TRANSITIONS.get(before, ()) else ((), before)
    assert found == wanted


def test_no_other_module_changes_a_status() -> None:
    root = Path(sessions_app.__file__).parent
    writes = re.compile(r"update\([^)]*status=|update_fields=\[[^\]]*status")
    found = [path.name for path in root.rglob("*.py") if writes.search(path.read_text())]
    assert found == ["turn_status.py"]
