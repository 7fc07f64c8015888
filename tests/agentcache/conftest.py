"""The world of the agent cache's tests."""

import pytest

from tests.agentcache.world import World


@pytest.fixture
def world() -> World:
    return World()
