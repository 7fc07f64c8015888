"""A turn's status changes as the one table says, and nowhere else."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
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


def made(status: TurnStatus) -> Turn:
    user = get_user_model().objects.create_user("owner")
    session_id = chats.create(user.pk, "").id
    claimed = {"claim": session_id, "heartbeat_at": Now()}
    return Turn.objects.create(
        owner=user, chat_session_id=session_id, message_id=session_id, text="t", status=status, **claimed
    )


@pytest.mark.parametrize(("before", "after"), list(product(TurnStatus, TurnStatus)))
async def test_only_what_the_table_has_is_changed(
    transactional_db: None, before: TurnStatus, after: TurnStatus
) -> None:
    turn = await database.write(made, before)

    def change() -> int:
        return turn_status.change(Turn.objects.filter(pk=turn.pk), before, after)

    if after in TRANSITIONS.get(before, ()):
        assert await database.write(change) == 1
        assert await database.write(change) == 0
    else:
        with pytest.raises(ForbiddenTransition):
            await database.write(change)
    allowed = after in TRANSITIONS.get(before, ())
    assert (await stored_turn(turn.run_id)).status == (after if allowed else before)


def test_no_other_module_changes_a_status() -> None:
    root = Path(sessions_app.__file__).parent
    writes = re.compile(r"update\([^)]*status=|update_fields=\[[^\]]*status")
    found = [path.name for path in root.rglob("*.py") if writes.search(path.read_text())]
    assert found == ["turn_status.py"]
