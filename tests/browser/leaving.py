"""What a test leaves at the site that others share: a turn that still runs would take the next test's answers."""

from __future__ import annotations

import time

from tests.live import LiveSite
from tests.processes import PATIENCE

# Those of the site, and those that it is about to begin; rows that a test has made are of no process.
_AT_WORK = """
SELECT 1 FROM sessions_app_turn WHERE (status = 'running' AND process <> '') OR (
  status = 'queued' AND chat_session_id NOT IN (SELECT chat_session_id FROM sessions_app_turn WHERE status = 'running')
)
"""
_STOP = "UPDATE sessions_app_turn SET stop_requested = %s WHERE status = 'running' AND process <> ''"


def end_turns(site: LiveSite) -> None:
    """End what runs, as another process would ask for it, and return when nothing does."""
    deadline = time.monotonic() + PATIENCE
    while site.process.running and site.database.run(_AT_WORK):
        site.database.run(_STOP, True)
        assert time.monotonic() < deadline
        time.sleep(0.02)
