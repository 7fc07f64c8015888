"""The wires that the bytes of a test go over.

Over each of them: what a wire makes of rows of every kind. Over one: what becomes of rows in memory and between
processes, before any wire sees them; each wire has its share of these.
"""

from __future__ import annotations

import pytest

from tests.turns.fixtures import ANTHROPIC, CHAT, ONE_ON_BOTH_DATABASES, RESPONSES

WIRES = [CHAT, RESPONSES, ANTHROPIC]

over_chat, over_responses, over_anthropic = (pytest.mark.parametrize("wire", [wire], indirect=True) for wire in WIRES)
each_wire_on_one_database = pytest.mark.parametrize("wire", ONE_ON_BOTH_DATABASES, indirect=True)
