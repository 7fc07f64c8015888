"""The wires that the bytes of a test go over.

Over each of them: what a wire makes of rows of every kind. Over one: what becomes of rows in memory and between
processes, before any wire sees them; each wire has its share of these.
"""

from __future__ import annotations

import pytest

from tests.turns.fixtures import ANTHROPIC, CHAT, ONE_ON_BOTH_DATABASES, RESPONSES

WIRES = [CHAT, RESPONSES, ANTHROPIC]

over_chat, over_responses, over_anthropic = (pytest.mark.parametrize("wire", [wire], indirect=True) for wire in WIRES)
first_over_chat, first_over_responses, first_over_anthropic = (
    pytest.mark.parametrize(
        "wire",
        [wire if wire == first else pytest.param(wire, marks=pytest.mark.thorough) for wire in WIRES],
        indirect=True,
    )
    for first in WIRES
)
"""In the suite over that wire, in the thorough one over the others: another test asks what each makes of such rows."""
each_wire_on_one_database = pytest.mark.parametrize("wire", ONE_ON_BOTH_DATABASES, indirect=True)
