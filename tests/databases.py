"""Databases for real sites: migrated and filled once, then copied for each test that wants one of its own."""

import hashlib
import secrets
import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.processes import PATIENCE
from tests.services import postgres_url

USERS = ("owner", "outsider", "admin")
_COPY_USER = """
INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
SELECT %s, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined
FROM auth_user WHERE username = 'owner'
"""
_ADD_TOKEN = """
INSERT INTO sessions_app_apitoken (owner_id, name, digest, can_read_metrics)
SELECT id, 'tests', %s, %s FROM auth_user WHERE username = %s
"""


class Database:
    """A database of the site at `url`, seen as another program sees it."""

    def __init__(self, url: str, tokens: dict[str, str] | None = None) -> None:
        self.url = url
        # An API token of each user, by name.
        self.tokens = dict(tokens or {})

    @property
    def on_postgresql(self) -> bool:
        return self.url.startswith("postgres")

    @property
    def file(self) -> str:
        """The path of a SQLite database."""
        return self.url.removeprefix("sqlite:///")

    def run(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Runs a statement in a transaction of its own (`%s` stands for a parameter); its rows, if it has any."""
        if self.on_postgresql:
            with psycopg.connect(self.url, autocommit=True) as raw:
                cursor = raw.execute(sql, params or None)
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.file, timeout=PATIENCE)) as file, file:
            return file.execute(sql.replace("%s", "?"), params).fetchall()

    def add_user(self, name: str) -> str:
        """A user more, with the others' password; their token."""
        self.run(_COPY_USER, name)
        self.tokens[name] = f"hermes_{secrets.token_urlsafe(32)}"
        self.run(_ADD_TOKEN, hashlib.sha256(self.tokens[name].encode()).hexdigest(), False, name)
        return self.tokens[name]


def sqlite(folder: Path, template: Database | None = None) -> Database:
    """A new SQLite database: empty, or a copy."""
    file = folder / "site.sqlite3"
    if template is None:
        return Database(f"sqlite:///{file}")
    shutil.copy(template.file, file)
    return Database(f"sqlite:///{file}", template.tokens)


def postgresql(template: Database | None = None) -> Database:
    """A new PostgreSQL database: empty, or a copy of one that nobody is connected to. `drop` it."""
    name = f"hermes_{uuid.uuid4().hex}"
    source = f" TEMPLATE {_name(template)}" if template else ""
    Database(postgres_url()).run(f"CREATE DATABASE {name}{source}")
    url = urlsplit(postgres_url())._replace(path=f"/{name}").geturl()
    return Database(url, template.tokens if template else None)


def drop(database: Database) -> None:
    """Drops a PostgreSQL database, also from under those who are connected to it."""
    Database(postgres_url()).run(f"DROP DATABASE {_name(database)} WITH (FORCE)")


def _name(database: Database) -> str:
    return urlsplit(database.url).path.removeprefix("/")
