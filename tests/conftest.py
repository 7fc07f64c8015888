"""Fixtures of the whole suite, and what of it runs on both databases.

On both runs what can differ between them: SQL, our own or the ORM's; locks and races; transactions; triggers and
constraints; JSON; order, case and time; migrations; which index a query takes; emptying; a connection that is lost.
On SQLite alone runs what cannot: the prompts, events and pages that are made of the same rows, refusals before anything
is asked of a database, texts of forms, wires. `both_databases` is given to every test that touches a database, so that
none is forgotten, but for folders and modules that are about the second kind: see `mark`.

The suite, `make test`, asks each thing once, by the cheapest means that find a fault of its kind, so that it can be run
for each change. What bears the mark `thorough` runs in `make test-thorough`, for each change before it is let in: walks
over everything by a dear way, of which the suite asks some examples; packages, images and the clients of others; a
journey in a browser whose parts other tests ask about; the second database where little can differ
(`thorough_on_postgresql`: the test stays in the suite on SQLite).
"""

import gc
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator

import hypothesis
import pytest
import pytest_asyncio
from blockbuster import BlockBuster
from django.db import connection
from django.template.base import Template
from hypothesis import HealthCheck
from pytest_django import DjangoDbBlocker
from xdist.remote import Producer

from sessions_app import database
from sessions_app.web import rendering
from tests import databases, services, sharing
from tests.clock import Clock
from tests.databases import Database
from tests.emptying import empty_by_deleting
from tests.live import ENVIRONMENT, LiveSite, fill
from tests.migrated import django_db_keepdb, migrated
from tests.processes import ROOT
from tests.providers.fixtures import provider

__all__ = ["django_db_keepdb", "empty_by_deleting", "migrated", "provider"]

_numbers = itertools.count(1)
# Folders of what cannot differ: of their tests those alone run on both databases that bear the mark themselves.
ON_SQLITE_ALONE = tuple(
    f"tests/{folder}/"
    for folder in ("admin", "agui_api", "api", "authorisations", "guard", "openai_api", "tool_servers", "web")
)
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

# How long an example takes says nothing on a busy machine; and every run tries the same, so that what fails here fails
# everywhere. (`pytest --hypothesis-profile=default` tries others.)
hypothesis.settings.register_profile(
    "any machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """Starts what all processes of a run use, before them."""
    gc.disable()  # while all tests are loaded
    sharing.begin(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes what they used, after them."""
    sharing.end(config)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> sharing.Scheduling:
    """Shares out the tests of a run in several processes."""
    return sharing.Scheduling(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Marks what runs on both databases, so that no test is forgotten on PostgreSQL; sorts what is shared out."""
    mark(items)
    yield  # pytest-django, among others, puts what touches no database last
    if sharing.is_worker(config):
        sharing.longest_first(items)


def mark(items: list[pytest.Item]) -> None:
    """Marks those that touch the database, but for those of `one_database` and of the folders `ON_SQLITE_ALONE`.

    One that bears the mark itself keeps it, whatever its module or folder says. On PostgreSQL, `thorough_on_postgresql`
    becomes `thorough`.
    """
    for item in items:
        fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
        touches = item.get_closest_marker("django_db") or "db" in fixtures or "transactional_db" in fixtures
        alone = item.get_closest_marker("one_database") or item.nodeid.startswith(ON_SQLITE_ALONE)
        if touches and not alone:
            item.add_marker("both_databases")
        if connection.vendor == "postgresql" and item.get_closest_marker("thorough_on_postgresql"):
            item.add_marker("thorough")


def pytest_collection_finish() -> None:
    """Keeps the garbage collector from walking all that is loaded by now, and all that lives a little, again and again.

    By its own measures it takes a tenth of the suite's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


@pytest.fixture(scope="session")
def one_blockbuster() -> BlockBuster:
    """What all tests are watched by: it takes longer to make than many of them."""
    return BlockBuster()


@pytest.fixture(autouse=True)
def blockbuster(one_blockbuster: BlockBuster) -> Iterator[BlockBuster]:
    """Fails every test in which anything blocks an event loop, but where the test has said that it can."""
    can_block = {name: [*function.can_block_functions] for name, function in one_blockbuster.functions.items()}
    one_blockbuster.activate()
    yield one_blockbuster
    one_blockbuster.deactivate()
    for name, function in one_blockbuster.functions.items():
        function.can_block_functions[:] = can_block[name]


@pytest.fixture
def unnoted_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that ask for many pages, and never with what one was rendered: to note that costs much of rendering."""
    monkeypatch.setattr(Template, "_render", lambda self, context: self.nodelist.render(context))


@pytest_asyncio.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the test's event loop."""
    return Clock(monkeypatch)


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
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database; before it goes, all who are connected to it end: PostgreSQL drops none that is in use."""
    yield
    database.close()
    if connection.vendor == "postgresql":
        # A thread that a test has left may have kept its connection.
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(END_OTHERS)


@pytest.fixture(scope="session", autouse=True)
def workers_end() -> Iterator[None]:
    """Ends the processes in which Markdown was rendered."""
    yield
    rendering.close()


@pytest.fixture(scope="session")
def static_files() -> None:
    """What a real site needs before it starts."""
    # One after the other, where tests run in several processes: the first makes them, the others find them.
    with sharing.one_at_a_time(ROOT / "Makefile"):
        # With the site's own settings: pytest has put the tests' into the environment.
        env = {**os.environ, **ENVIRONMENT}
        subprocess.run(["make", "--silent", "staticfiles/stamp"], cwd=ROOT, check=True, env=env)


@pytest.fixture(scope="session")
def start_site(
    static_files: None, migrated: Database | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., LiveSite]]:
    """Starts a real site with the environment variables given; each has a SQLite database of its own."""
    template = sharing.made_once(sharing.SQLITE, lambda: fill(databases.sqlite(sharing.folder(), migrated)))
    started: list[LiveSite] = []

    def start(**env: str) -> LiveSite:
        started.append(LiveSite(databases.sqlite(tmp_path_factory.mktemp("site"), template), **env))
        started[-1].start()
        return started[-1]

    yield start
    end(started)


@pytest.fixture(scope="session")
def lasting_site(start_site: Callable[..., LiveSite]) -> Iterator[LiveSite]:
    """The real site, as it is without settings, of all tests that need none of their own: a start takes a second.

    Each of them is a `newcomer` there. It must end well and have logged no error.
    """
    site = start_site()
    yield site
    assert site.stop() == 0
    assert site.errors() == []


@pytest.fixture
def newcomer(lasting_site: LiveSite) -> str:
    """The name of a user of the lasting site, whom no other test knows."""
    name = f"newcomer{next(_numbers)}"
    lasting_site.database.add_user(name)
    return name


@pytest.fixture(scope="session")
def postgres_template() -> Database:
    """A PostgreSQL database with users, to be copied."""
    return sharing.made_once(sharing.POSTGRESQL, lambda: fill(databases.postgresql()))


@pytest.fixture(scope="module")
def start_sites(
    static_files: None, postgres_template: Database, redis_url: str
) -> Iterator[Callable[..., list[LiveSite]]]:
    """Starts so many real sites with the environment variables given, over Redis and one new PostgreSQL database.

    They end with the module: its users have the same ids as another's, and Redis is the same.
    """
    started: list[LiveSite] = []

    def start(count: int, **env: str) -> list[LiveSite]:
        new = databases.postgresql(postgres_template)
        sites = [LiveSite(new, REDIS_URL=redis_url, **env) for _ in range(count)]
        for site in sites:
            site.launch()
            started.append(site)
        for site in sites:
            site.await_ready()
        return sites

    yield start
    end(started)
    for used in {site.database for site in started}:
        databases.drop(used)


def end(sites: list[LiveSite]) -> None:
    """Kills those that still run."""
    for site in sites:
        if site.process.running:
            site.kill()


@pytest.fixture
def live_server_process(start_site: Callable[..., LiveSite]) -> Iterator[LiveSite]:
    """A real site of the test's own, just started; it must end well and have logged no error."""
    site = start_site()
    yield site
    if site.process.running:
        assert site.stop() == 0
    assert site.errors() == []
