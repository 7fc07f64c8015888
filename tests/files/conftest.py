"""A real site with files, its provider, and users whom no other test knows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.files.client import Files
from tests.live import LiveSite
from tests.providers.fixtures import Provider

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def loopback() -> Iterator[Provider]:
    """The provider of the site."""
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="session")
def site(start_site: Callable[..., LiveSite], loopback: Provider) -> Iterator[LiveSite]:
    """A site that takes files of 2 MB, and 5 MB of each user; it must end well and have logged no error."""
    env = {"OPENAI_BASE_URL": loopback.base_url, "OPENAI_API_KEY": "loopback", "HERMES_MODEL": "openai-chat:loopback"}
    started = start_site(HERMES_MAX_FILE="2MB", HERMES_FILE_QUOTA="5MB", **env)
    yield started
    assert started.stop() == 0
    assert started.errors() == []


@pytest.fixture
def files(site: LiveSite) -> Files:
    """The files of a user whom no other test knows."""
    name = f"collector{next(_numbers)}"
    site.database.add_user(name)
    return Files(site, name)


@pytest.fixture
def stranger(site: LiveSite) -> Files:
    """Another user of the site."""
    name = f"stranger{next(_numbers)}"
    site.database.add_user(name)
    return Files(site, name)


@pytest.fixture
def folder(site: LiveSite) -> Path:
    """Where the site keeps files."""
    return Path(site.database.url.removeprefix("sqlite:///")).parent / "files"


def objects(folder: Path) -> set[str]:
    """What is kept of all users."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} if folder.exists() else set()
