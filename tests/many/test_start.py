"""A start after a crash: clients are let in at once, and what was left is recovered beside them.

Thorough: the suite asks it in one process (tests/turns/test_backlog.py).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.many.conftest import Sites, tab_of
from tests.many.outside import let_owners_be_silent, locked, until

LEAVE_TURNS = """
from django.contrib.auth.models import User
from django.db import transaction
from sessions_app.session_store import chats
from sessions_app.turn_store import asking
owner = User.objects.get(username="owner").pk
with transaction.atomic():
    for _ in range(10):
        session = chats.create(owner, "").id
        asking.ask(owner, session, "hello", None, process="dead", accepting=True)
"""


@pytest.mark.thorough
def test_a_site_listens_before_it_has_recovered_anything(start_sites: Callable[..., Sites]) -> None:
    """Another program holds what recovery needs: it waits for each of the ten turns for seconds."""
    [site] = start_sites(1, HERMES_TURNS_PER_MINUTE="100")
    site.kill()
    site.manage("shell", "-c", LEAVE_TURNS)
    let_owners_be_silent(site.database)
    with locked(site.database, "SELECT 1 FROM sessions_app_sessionstamp FOR UPDATE"):
        site.start()
        with tab_of(site, "owner") as tab:
            sessions = tab.result("session.list")["sessions"]
            view = tab.result("session.open", session_id=sessions[0]["id"])
    assert (len(sessions), view["run"]["text"]) == (10, "")
    until(site.database, 10, "SELECT 1 FROM sessions_app_turn WHERE status = 'interrupted'")
    assert site.stop() == 0
