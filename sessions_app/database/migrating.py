"""What PostgreSQL is told while a process migrates: it may think in a transaction for as long as it needs.

Else the limit for processes that serve (``settings.DATABASES``) ends a migration that computes for seconds between two
statements on a slow machine: "server closed the connection unexpectedly".
"""

from __future__ import annotations

from typing import Any

from django.db import connections


def lift_idle_limit(using: str, **_: Any) -> None:
    """Let transactions of this connection be idle (``pre_migrate``)."""
    _tell(using, "SET idle_in_transaction_session_timeout = 0")


def restore_idle_limit(using: str, **_: Any) -> None:
    """Go back to the limit that the settings say (``post_migrate``): the process may serve from now on."""
    _tell(using, "RESET idle_in_transaction_session_timeout")


def _tell(using: str, statement: str) -> None:
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement)
