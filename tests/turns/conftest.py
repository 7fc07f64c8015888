import os

from tests.files.read_once import read_once
from tests.turns.fixtures import host, hurried, model, new_host, quiet_host, session, stuck_thread, user

__all__ = ["host", "hurried", "model", "new_host", "quiet_host", "read_once", "session", "stuck_thread", "user"]

# What only PostgreSQL knows; marked for both databases, because that run is PostgreSQL's.
collect_ignore = [] if os.environ.get("TEST_ON") == "postgresql" else ["test_lost_connections.py"]
