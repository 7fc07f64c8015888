"""How many examples Hypothesis tries where each costs much: few in the suite, the same in every run.

HERMES_TEST_EXAMPLES in the environment asks for another number, with chance of their own.
"""

import os

from django.db import connection
from hypothesis import settings

_ASKED = os.environ.get("HERMES_TEST_EXAMPLES")


def examples(count: int) -> settings:
    """Return settings with so many examples, or as many as were asked for."""
    return settings(max_examples=int(_ASKED or count), derandomize=not _ASKED, print_blob=True)


def fewer_on_postgresql(count: int) -> int:
    """Return the number of examples of a test on both databases: on PostgreSQL a third.

    What there may be is tried on SQLite; on PostgreSQL it is enough to try each statement with a few.
    """
    return count if connection.vendor == "sqlite" else -(-count // 3)
