"""A user who is deactivated by raw SQL, with turns running and queued in two processes."""

from __future__ import annotations

from tests.many.conftest import Sites
from tests.many.outside import until
from tests.many.tab import Tab
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

ENDED = "SELECT status FROM sessions_app_turn WHERE owner_id = %s AND ended_at IS NOT NULL ORDER BY status"


def test_a_deactivation_ends_runs_and_queues_in_both_processes(
    sites: Sites, user: str, a: Tab, b: Tab, provider: Provider
) -> None:
    database = sites[0].database
    [(user_id,)] = database.run("SELECT id FROM auth_user WHERE username = %s", user)
    gates = [Gate(), Gate()]
    for tab, gate in zip((a, b), gates, strict=True):
        provider.script(Answer(["One ", "two"], gates={1: gate}))
        chat = tab.new_session()
        for number in range(6):
            tab.ask(chat, f"text {number}")
        gate.stood(PATIENCE)
    database.run("UPDATE auth_user SET is_active = false WHERE id = %s", user_id)
    statuses = [status for (status,) in until(database, 12, ENDED, user_id)]
    for gate in gates:
        gate.open()
    assert statuses == ["stopped"] * 2 + ["withdrawn"] * 10
    assert len(provider.requests) == 2
