"""Access to the database from the event loop, and what the database itself keeps."""

from sessions_app.database.hops import Door, close, read, write

__all__ = ["Door", "close", "read", "write"]
