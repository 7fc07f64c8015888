"""Two sites over one database, a user of their own for each test, and a provider in the test's hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from websockets.sync.client import connect

from tests.live import LiveSite
from tests.many.tab import Tab
from tests.peers import token
from tests.providers.fixtures import Provider

Sites = list[LiveSite]
NewTab = Callable[[LiveSite], Tab]

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def module_provider() -> Iterator[Provider]:
    """The loopback provider of all tests of a module."""
    running = Provider()
    yield running
    running.close()


@pytest.fixture
def provider(module_provider: Provider) -> Iterator[Provider]:
    """The provider, which knows nothing of the test before."""
    yield module_provider
    module_provider.forget()


@pytest.fixture(scope="module")
def environment(module_provider: Provider) -> dict[str, str]:
    """What makes a site ask the loopback provider."""
    return {
        "HERMES_MODEL": "openai-chat:loopback",
        "OPENAI_BASE_URL": module_provider.base_url,
        "OPENAI_API_KEY": "loopback",
        "HERMES_PROVIDER_RETRIES": "0",
        "HERMES_TURNS_PER_MINUTE": "10000",
    }


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., Sites], environment: dict[str, str]) -> Iterator[Sites]:
    """Two processes over one PostgreSQL and Redis; they must end well and have logged no error."""
    running = start_sites(2, **environment)
    yield running
    for site in running:
        assert site.stop() == 0
        assert site.errors() == []


@pytest.fixture
def user(sites: Sites) -> str:
    """Somebody who chats: the name."""
    name = f"user{next(_numbers)}"
    sites[0].database.add_user(name)
    return name


@pytest.fixture
def new_tab(user: str) -> Iterator[NewTab]:
    """Connects the user to a site."""
    with ExitStack() as open_tabs:
        yield lambda site: open_tabs.enter_context(tab_of(site, user))


@contextmanager
def tab_of(site: LiveSite, user: str) -> Iterator[Tab]:
    """A connection of a user."""
    headers = token(site, user)
    # What a test does not read must not keep the end of the connection from being read.
    with connect(site.ws_url, additional_headers=headers, max_size=None, max_queue=None, proxy=None) as socket:
        yield Tab(socket)


@pytest.fixture
def a(new_tab: NewTab, sites: Sites) -> Tab:
    """The user's tab at the first site."""
    return new_tab(sites[0])


@pytest.fixture
def b(new_tab: NewTab, sites: Sites) -> Tab:
    """The user's tab at the second site."""
    return new_tab(sites[1])
