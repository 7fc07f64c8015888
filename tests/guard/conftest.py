from typing import Any

import pytest

from tests.files.read_once import read_once
from tests.guard.wires import WIRES
from tests.turns.fixtures import host, hurried, model, new_host, quiet_host, session, stuck_thread, user

__all__ = ["host", "hurried", "model", "new_host", "quiet_host", "read_once", "session", "stuck_thread", "user"]


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest, settings: Any, model: str) -> str:
    """The model string of one of the wires."""
    settings.HERMES_MODEL = request.param
    return str(request.param)
