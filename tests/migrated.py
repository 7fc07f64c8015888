"""A migrated SQLite database, made once for all processes of a run: the migrations take five seconds.

The test database of each process is a copy of it, and so is the one that real sites are filled in.
"""

from __future__ import annotations

import shutil

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests import databases, sharing
from tests.databases import Database


@pytest.fixture(scope="session")
def migrated(django_db_blocker: DjangoDbBlocker) -> Database | None:
    """A SQLite database with all tables and without users; none where the tests run on PostgreSQL."""
    if connection.vendor != "sqlite":
        return None
    with django_db_blocker.unblock():
        return sharing.made_once(sharing.MIGRATED, migrate)


def migrate() -> Database:
    """Make an empty database, and migrate it over the connection of this process, which has loaded the site already."""
    folder = sharing.folder() / "migrated"
    folder.mkdir()
    made = databases.sqlite(folder)
    name = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = made.file
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
    return made


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None, migrated: Database | None) -> bool:
    """Whether the test database is there before pytest-django makes one: a copy, which is not migrated again."""
    if migrated is None:
        return False
    shutil.copy(migrated.file, connection.settings_dict["TEST"]["NAME"])
    return True
