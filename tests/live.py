"""A real site for tests: `manage.py serve` in a process of its own."""

import os
import subprocess
import sys

from tests.databases import USERS, Database
from tests.processes import Process, finish
from tests.services import free_port

PASSWORD = "correct horse battery staple"
# Every setting, set to nothing, which means its default: so a developer's environment and .env have no say.
DEFAULTS = dict.fromkeys(
    (
        *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_FALLBACKS"),
        *("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "HERMES_API_ORIGINS", "TRUSTED_PROXY", "DEBUG"),
        *("HERMES_MODEL", "HERMES_TITLE_MODEL", "HERMES_WARM_BUDGET"),
        *("HERMES_PROVIDER_TIMEOUT", "HERMES_PROVIDER_LONGEST_WAIT", "HERMES_PROVIDER_RETRIES"),
        *("HERMES_MAX_TEXT", "HERMES_MAX_ANSWER"),
        *("HERMES_CONNECTIONS_PER_USER", "HERMES_SESSIONS_PER_USER", "HERMES_TEXT_QUOTA"),
        *("HERMES_FILES", "HERMES_MAX_FILE", "HERMES_FILE_QUOTA", "HERMES_MAX_IMPORT"),
        *("HERMES_SEARCH_URL", "HERMES_WEB_PAGES"),
        *("HERMES_JOURNAL_DAYS", "HERMES_JOURNAL_FACTS", "HERMES_AUDIT_LOG", "HERMES_WEBHOOK_NETWORKS"),
        *("HERMES_TURNS_PER_MINUTE", "HERMES_TURN_LEASE", "HERMES_DRAIN_GRACE", "HERMES_SIGNUP"),
        "HERMES_SHARING",
        *("EMAIL_URL", "HERMES_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        *("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME"),
        *("OIDC_GROUPS_CLAIM", "OIDC_GROUPS", "OIDC_ONLY"),
    ),
    "",
)
ENVIRONMENT = {
    **DEFAULTS,
    "DJANGO_SETTINGS_MODULE": "hermes_site.settings",
    "SECRET_KEY": "tests-only",
    "HERMES_SIGNUP": "open",
    "HERMES_DRAIN_GRACE": "1",
}
_FILL = f"""
from django.core.management import call_command
call_command("setup")
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from sessions_app.models import ApiToken
password = make_password({PASSWORD!r})  # once: it takes a third of a second
for name in {USERS}:
    user = User.objects.filter(username=name).first() or User(username=name)
    user.password = password
    user.save()
    print("token", name, ApiToken.issue(user, "tests")[1])
"""


def manage(*arguments: str, env: dict[str, str], check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command of manage.py to its end."""
    done = finish([sys.executable, "manage.py", *arguments], {**os.environ, **ENVIRONMENT, **env})
    if check:
        done.check_returncode()
    return done


def fill(database: Database) -> Database:
    """Migrates an empty database and puts the USERS there, whose password is PASSWORD."""
    told = manage("shell", "-c", _FILL, env={"DATABASE_URL": database.url}).stdout.split("\n")
    database.tokens |= dict(line.split()[1:] for line in told if line.startswith("token "))
    return database


class LiveSite:
    """A site of its own process; `start` it. `tokens` has an API token of each of the database's users."""

    def __init__(self, database: Database, **env: str) -> None:
        self.database = database
        self.tokens = database.tokens
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}/ws/chat/"
        self.env = {"DATABASE_URL": database.url, "PORT": str(self.port), **env}
        self._output: list[str] = []
        self.process: Process

    def start(self) -> None:
        """Returns once clients are let in."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Starts it, and does not wait: several may start at once."""
        self.process = Process([sys.executable, "manage.py", "serve"], {**os.environ, **ENVIRONMENT, **self.env})

    def await_ready(self) -> None:
        """Returns once a launched site lets clients in."""
        self.process.line("Hermes Site is at")

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self.process.stop()

    def restart(self, **env: str) -> None:
        """Stops it where it still runs, and starts it at the same address."""
        if self.process.running:
            self.stop()
        self._output += self.process.output
        self.env.update(env)
        self.start()

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py prints."""
        return manage(*arguments, env=self.env).stdout

    def errors(self) -> list[str]:
        """What the site logged as an error up to its end."""
        output = self._output + self.process.output
        return [line for line in output if " ERROR " in line or "Traceback" in line]
