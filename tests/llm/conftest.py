"""Fixtures of the agents' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from sessions_app.llm.providers import Providers, ProviderSettings
from tests.providers.fixtures import Provider


@pytest_asyncio.fixture
async def providers(provider: Provider) -> AsyncIterator[Providers]:
    """Live models that talk to the loopback provider."""
    made = Providers(ProviderSettings(timeout=120, demo_pause=0))
    yield made
    await made.aclose()
