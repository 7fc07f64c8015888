"""Access to the database from the event loop, and what the database itself keeps."""

from sessions_app.database.hops import HEART, SUPERVISOR, Door, close, of, read, write

__all__ = ["HEART", "SUPERVISOR", "Door", "close", "of", "read", "write"]
