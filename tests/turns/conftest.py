import os

from tests.turns.fixtures import host, model, new_host, session, user

__all__ = ["host", "model", "new_host", "session", "user"]

# What only PostgreSQL knows; marked for both databases, because that run is PostgreSQL's.
collect_ignore = [] if os.environ.get("TEST_ON") == "postgresql" else ["test_lost_connections.py"]
