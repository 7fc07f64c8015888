"""Settings: read from the environment over .env, judged at the start, and what they make true."""

import logging
import os
import stat
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from hermes_site.environment import Environment
from hermes_site.logs import OutsidersAreNoFault, QuietFormatter
from hermes_site.middleware import SecureCookies
from tests import databases
from tests.databases import Database
from tests.live import LiveSite, manage


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Both are set first, so that what the file adds to the environment is taken back as well.
    monkeypatch.setenv("HERMES_TEST_FILE", "")
    monkeypatch.delenv("HERMES_TEST_FILE")
    monkeypatch.setenv("HERMES_TEST_BOTH", "environment")
    (tmp_path / ".env").write_text("HERMES_TEST_FILE=file\nHERMES_TEST_BOTH=file\n")
    env = Environment(tmp_path)
    assert env.text("HERMES_TEST_FILE") == "file"
    assert env.text("HERMES_TEST_BOTH") == "environment"


@pytest.mark.parametrize(
    ("read", "good", "value", "bad"),
    [
        (lambda env: env.whole("X", 5, least=1), "7", 7, ["0", "-1", "1.5", "many", "1" * 5000]),
        (lambda env: env.seconds("X", 5, least=0.5), "1.5", 1.5, ["0", "nan", "inf", "1e9", "soon"]),
        (lambda env: env.dollars("X"), "0.25", Decimal("0.25"), ["-1", "nan", "inf", "1e9", "much", "$5", "1,5"]),
        (lambda env: env.choice("X", "closed", "open"), "OPEN", "open", ["ajar"]),
        (lambda env: env.switch("X"), "true", True, ["maybe"]),
        (lambda env: [str(net) for net in env.networks("X")], "10.0.0.0/8, ::1", ["10.0.0.0/8", "::1/128"], ["proxy"]),
        (
            lambda env: env.origins("X"),
            "https://a.example",
            ["https://a.example"],
            ["a.example", "https://a.example/x"],
        ),
        (
            lambda env: env.exact_origins("X"),
            "https://A.example, http://[::1]:3000",
            [("https", "a.example", 443), ("http", "[::1]", 3000)],
            ["*", "null", "a.example", "https://a.example/", "https://*.a.example", "ftp://a.example", "https://é.fr"],
        ),
        (
            lambda env: env.mail("X").get("EMAIL_PORT"),
            "smtp+tls://u%40e.example:p@h",
            587,
            ["h", "http://h", "smtp://", "smtp://h:99999", "smtp://h?from=x", "smtp://h?to=a@e.example", "smtp://h?x"],
        ),
        (lambda env: env.size("X", 5), "2 MB", 2_000_000, ["0", "-1", "1.5MB", "much", "1TB", "1" * 50]),
        (
            lambda env: env.file_store("X", Path("/d"))["OPTIONS"].get("bucket_name"),
            "s3://bucket/prefix",
            "bucket",
            ["s3://", "s3:bucket", "s3://Bucket/x", "s3://b?x"],
        ),
        (
            lambda env: env.server("X"),
            "http://u:p@search:8080/path/",
            "http://u:p@search:8080/path/",
            ["search:8080", "ftp://search", "http://", "http://search?q=", "http://search#a", "http://search:99999"],
        ),
        (lambda env: env.redis("X"), "redis://h:1/0", "redis://h:1/0", ["localhost:6379", "http://h"]),
        (
            lambda env: env.database("X", Path("/d"))["NAME"],
            "postgres://u:p@h:1/n",
            "n",
            ["mysql://u:p@h/n", "n", "postgres://h", "postgres://h:99999/n", "postgres://[h/n", "sqlite:///"],
        ),
    ],
)
def test_what_cannot_work_is_one_sentence_with_its_name(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, read: Any, good: str, value: Any, bad: list[str]
) -> None:
    monkeypatch.setenv("X", good)
    assert read(environment) == value
    assert environment.problems == []
    for number, wrong in enumerate(bad, 1):
        monkeypatch.setenv("X", wrong)
        read(environment)
        assert len(environment.problems) == number
        assert environment.problems[-1].startswith("X must ")
        assert environment.problems[-1].endswith(".")


@pytest.mark.parametrize("url", ["postgres://user:hunter2@", "mysql://u:hunter2@h/n", "redis//hunter2"])
def test_a_password_is_never_repeated(environment: Environment, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("X", url)
    environment.database("X", Path("/d"))
    environment.redis("X")
    environment.mail("X")
    assert len(environment.problems) == 3
    assert "hunter2" not in " ".join(environment.problems)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("smtp://h.example?from=Chat%20<c%40e.example>", "Chat <c@e.example>"),
        ("smtp+ssl://u%40e.example:p%3A@h.example", "u@e.example"),
        ("smtp://u:p@h.example", "hermes@h.example"),
    ],
)
def test_mail_has_a_sender(environment: Environment, monkeypatch: pytest.MonkeyPatch, url: str, sender: str) -> None:
    monkeypatch.setenv("X", url)
    found = environment.mail("X")
    assert (found["DEFAULT_FROM_EMAIL"], found["EMAIL_HOST"]) == (sender, "h.example")
    assert found["EMAIL_HOST_PASSWORD"] in ("p:", "p", None)


def test_a_relative_sqlite_file_is_in_the_project(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "sqlite:///some.sqlite3")
    assert environment.database("X", Path("/d"))["NAME"] == str(environment.base / "some.sqlite3")


def test_sqlite_in_memory_cannot_work(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("sqlite://:memory:", "sqlite:///:memory:"):
        monkeypatch.setenv("X", url)
        environment.database("X", Path("/d"))
    assert len(environment.problems) == 2


def test_the_secret_is_made_once_and_private(tmp_path: Path, environment: Environment) -> None:
    file = tmp_path / "secret"
    secret = environment.secret("UNSET", file, must_be_given=False)
    assert len(secret) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert environment.secret("UNSET", file, must_be_given=False) == secret
    assert [found.name for found in tmp_path.iterdir()] == ["secret"]


def test_a_given_secret_leaves_no_file(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "given")
    assert environment.secret("X", tmp_path / "secret", must_be_given=True) == "given"
    assert list(tmp_path.iterdir()) == []


def test_several_processes_must_be_given_their_secret(tmp_path: Path, environment: Environment) -> None:
    environment.secret("UNSET", tmp_path / "secret", must_be_given=True)
    assert "UNSET must be given with PostgreSQL or Redis" in environment.problems[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["setup", "serve"])
def test_a_value_that_cannot_work_stops_the_start(command: str, tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    env = {"DATABASE_URL": f"sqlite:///{database}", "HERMES_MAX_TEXT": "plenty", "PORT": "0"}
    done = manage(command, env=env, check=False)
    assert done.returncode == 1
    assert "HERMES_MAX_TEXT must be a whole number of at least 1, not 'plenty'." in done.stderr
    assert "Traceback" not in done.stderr
    assert not database.exists()


@pytest.mark.parametrize("setting", ["HERMES_MODEL", "HERMES_TITLE_MODEL"])
@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("gpt-5", "Unknown model"),
        ("nobody:model", "Unknown model"),
        ("openai:", "it must end with the name of a model"),
        ("google:gemini", "HERMES_EXTRAS=google make run"),
        ("openai:gpt-5-mini", "OPENAI_API_KEY"),
        ("ollama:llama3.2", "OLLAMA_BASE_URL"),
    ],
)
def test_a_model_that_cannot_be_used_stops_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, setting: str, model: str, sentence: str
) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "OLLAMA_"))]:
        monkeypatch.delenv(name)
    setattr(settings, setting, model)
    with pytest.raises(SystemCheckError, match=f"{setting}={model} cannot be used: .*{sentence}"):
        call_command("check")


def test_a_model_that_can_be_used_passes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    settings.HERMES_MODEL = "openai:gpt-5-mini"
    call_command("check")


def test_a_database_that_is_not_up_to_date_is_one_sentence(tmp_path: Path) -> None:
    done = manage("serve", env={"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "PORT": "0"}, check=False)
    assert done.returncode == 1
    assert done.stderr == "CommandError: The database is not up to date: run manage.py setup (make run does).\n"


@pytest.mark.thorough
def test_a_port_that_is_taken_is_one_sentence(lasting_site: LiveSite) -> None:
    done = manage("serve", env=lasting_site.env, check=False)
    assert done.returncode == 1
    assert f"Port {lasting_site.port} cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
@pytest.mark.one_database
def test_what_sqlite_is_told() -> None:
    with connection.cursor() as cursor:
        pragmas = {
            name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 7_500, "foreign_keys": 1}
    assert connection.transaction_mode == "IMMEDIATE"  # type: ignore[attr-defined]


def test_what_postgresql_is_told(postgres_url: str) -> None:
    script = """
from django.db import connection
with connection.cursor() as cursor:
    for name in ("jit", "lock_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute(f"SHOW {name}")
        print(name, cursor.fetchone()[0])
print("pool", connection.pool is not None)
connection.close_pool()
"""
    env = {"DATABASE_URL": postgres_url, "HERMES_TURN_LEASE": "4"}
    told = manage("shell", "-c", script, env=env).stdout
    assert "jit off\nlock_timeout 2s\nidle_in_transaction_session_timeout 1333ms\npool True\n" in told


def test_a_migration_may_be_idle_in_a_transaction(postgres_template: Database) -> None:
    script = """
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
def show():
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        print("limit", cursor.fetchone()[0])
show()
for emit in (emit_pre_migrate_signal, emit_post_migrate_signal):
    emit(0, interactive=False, db="default", plan=[])
    show()
connection.close_pool()
"""
    database = databases.postgresql(postgres_template)
    told = manage("shell", "-c", script, env={"DATABASE_URL": database.url, "HERMES_TURN_LEASE": "1"}).stdout
    databases.drop(database)
    assert "limit 333ms\nlimit 0\nlimit 333ms\n" in told


@pytest.mark.one_database
@pytest.mark.django_db
def test_pages_load_nothing_from_elsewhere_and_nothing_inline(client: Client) -> None:
    response = client.get("/accounts/login/")
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for directive in ("script-src", "style-src", "connect-src", "form-action"):
        assert policy[directive] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("secure", [True, False])
def test_cookies_are_secure_exactly_behind_https(secure: bool) -> None:
    def respond(_: Any) -> HttpResponse:
        response = HttpResponse()
        response.set_cookie("one", "1")
        return response

    request = RequestFactory().get("/", secure=secure)
    assert bool(SecureCookies(respond)(request).cookies["one"]["secure"]) is secure


def formatted(name: str, message: str, *args: Any) -> str:
    """What the site's log says of a failure whose exceptions quote a secret text."""
    try:
        try:
            raise ValueError("secret text")
        except ValueError as cause:
            raise KeyError("secret text") from cause
    except KeyError:
        info = sys.exc_info()
    return QuietFormatter().format(logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, info))


def test_the_log_names_places_and_classes_but_no_message() -> None:
    line = formatted("daphne.server", "Exception inside application: %s", ValueError("secret text"))
    assert "secret" not in line
    assert "ERROR daphne.server: Exception inside application: ValueError\n" in line
    assert f"{__file__}:" in line
    assert line.index("builtins.ValueError") < line.index("builtins.KeyError")


def test_the_log_leaves_out_the_repr_of_a_lost_task() -> None:
    line = formatted("asyncio", "Task exception was never retrieved\nfuture: <Task exception=KeyError('secret text')>")
    assert "secret" not in line
    assert "Task exception was never retrieved" in line


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("django.security.DisallowedHost", logging.WARNING),
        ("django.security.DisallowedModelAdminLookup", logging.ERROR),
        ("django.request", logging.ERROR),
    ],
)
def test_what_outsiders_send_at_will_is_no_error(name: str, level: int) -> None:
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, "no", (), None)
    assert OutsidersAreNoFault().filter(record)
    assert record.levelno == level


@pytest.mark.parametrize(
    "name",
    [
        *("httpx", "httpx2", "openai._base_client", "anthropic._base_client", "groq._base_client"),
        *("google_genai.models", "google.auth.transport.requests", "botocore.credentials", "mistralai.client", "fern"),
    ],
)
def test_the_clients_of_providers_tell_nothing_of_each_request(name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)


def live_handlers() -> list[logging.Handler]:
    """The handlers that the site's configuration makes; pytest's own are beside them."""
    return [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]


def test_every_handler_of_the_log_is_quiet() -> None:
    assert [type(handler.formatter) for handler in live_handlers()] == [QuietFormatter]
    for name in ("django", "django.request", "django.server", "daphne.server", "asyncio"):
        assert logging.getLogger(name).handlers == []
