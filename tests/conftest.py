"""Fixtures of the whole suite."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from sessions_app import database
from tests import services
from tests.live import ENVIRONMENT, LiveSite, Template
from tests.processes import ROOT
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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The test database; before it goes, the threads of our own that are connected to it end."""
    yield
    database.close()


@pytest.fixture(scope="session")
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LiveSite]]:
    """Starts a real site with the environment variables given; each has a database of its own."""
    # With the site's own settings: pytest has put the tests' into the environment.
    subprocess.run(["make", "--silent", "staticfiles/stamp"], cwd=ROOT, check=True, env={**os.environ, **ENVIRONMENT})
    template = Template(tmp_path_factory.mktemp("template") / "template.sqlite3")
    started: list[LiveSite] = []

    def start(**env: str) -> LiveSite:
        started.append(LiveSite(tmp_path_factory.mktemp("site"), template, **env))
        return started[-1]

    yield start
    for site in started:
        if site.process.running:
            site.kill()


@pytest.fixture
def live_server_process(start_site: Callable[..., LiveSite]) -> Iterator[LiveSite]:
    """A real site, just started; it must end well and have logged no error."""
    site = start_site()
    yield site
    if site.process.running:
        assert site.stop() == 0
    assert site.errors() == []
