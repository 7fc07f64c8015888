"""A real site whose model is the loopback provider, for clients of a user whom no other test knows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.live import LiveSite
from tests.providers.fixtures import Provider

_numbers = itertools.count(1)


def many_turns(provider: Provider) -> dict[str, str]:
    """The settings of a site whose model is this provider, and whose users may have many turns."""
    own = {"OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": "loopback"}
    return {"HERMES_MODEL": "openai-chat:loopback", "HERMES_TURNS_PER_MINUTE": "1000", **own}


@pytest.fixture(scope="module")
def loopback() -> Iterator[Provider]:
    """The provider of the module's sites."""
    running = Provider()
    yield running
    running.close()


@pytest.fixture
def model(loopback: Provider) -> Provider:
    """The provider, which knows nothing of the tests before."""
    loopback.forget()
    return loopback


@pytest.fixture(scope="module")
def site(start_site: Callable[..., LiveSite], loopback: Provider) -> Iterator[LiveSite]:
    """It must end well and have logged no error."""
    started = start_site(**many_turns(loopback))
    yield started
    assert started.stop() == 0
    assert started.errors() == []


@pytest.fixture
def user(site: LiveSite) -> str:
    """The name of a user of the module's site."""
    name = f"client{next(_numbers)}"
    site.database.add_user(name)
    return name
