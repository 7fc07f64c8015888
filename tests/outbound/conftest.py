"""What the tests of requests to strangers share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.outbound.strangers import HERE, Names, Server, serving


@pytest.fixture
def names() -> Names:
    return Names()


@pytest_asyncio.fixture
async def server(names: Names) -> AsyncIterator[Server]:
    """A server that the name `site.example` leads to."""
    names.set("site.example", [HERE])
    async with serving() as server:
        yield server
