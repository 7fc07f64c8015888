"""What the tests of webhooks share: a receiver on loopback, and processes that tell it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
import pytest_asyncio

from tests.turns.fixtures import host, model, new_host, quiet_host, session, user
from tests.webhooks.receiver import Receiver, receiving

__all__ = ["host", "model", "new_host", "quiet_host", "session", "user"]


@pytest.fixture
def allowed(settings: Any) -> None:
    """Lets webhooks lead to this machine."""
    settings.HERMES_WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest_asyncio.fixture
async def receiver(allowed: None) -> AsyncIterator[Receiver]:
    """A receiver that webhooks may lead to."""
    async with receiving() as server:
        yield server
