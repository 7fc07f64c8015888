"""Fixtures of the whole suite."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from tests import services
from tests.providers.fixtures import provider

__all__ = ["provider"]


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fails every test in which anything blocks an event loop."""
    with blockbuster_ctx() as watch:
        yield watch


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A real PostgreSQL; its user may create databases."""
    return services.postgres_url()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A real Redis or Valkey."""
    return services.redis_url()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium to drive."""
    return services.chromium()
