"""How many examples Hypothesis tries where each costs much: few in the suite, the same in every run.

HERMES_TEST_EXAMPLES in the environment asks for another number, with chance of their own.
"""

import os

from hypothesis import settings

_ASKED = os.environ.get("HERMES_TEST_EXAMPLES")


def examples(count: int) -> settings:
    """Return settings with so many examples, or as many as were asked for."""
    return settings(max_examples=int(_ASKED or count), derandomize=not _ASKED, print_blob=True)
