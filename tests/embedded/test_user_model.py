"""A project with a user model of its own: tables, triggers, accounts, turns and admin work with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from sessions_app.accounts import user_model
from sessions_app.database import users
from tests import databases
from tests.embedded.project import MODELS, Project
from tests.embedded.turns import calculate

_CREATE = """
call_command("check", databases=["default"])
from django.contrib.auth import get_user_model
get_user_model().objects.create_user("anna", password="p")
call_command("create_token", "anna")
"""
_ASK = """
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from sessions_app.models import ApiToken, ChatSession
from sessions_app.accounts.models import NameShape
Person = get_user_model()
print("model", Person.__name__, Person._meta.db_table)
try:
    with transaction.atomic():
        Person.objects.create_user("ANNA", password="x")
except IntegrityError:
    print("alike refused")
anna = Person.objects.get(username="anna")
print("shapes", NameShape.objects.filter(owner=anna).count() > 0)
Person.objects.filter(pk=anna.pk).update(is_active=False)
print("tokens", ApiToken.objects.filter(owner=anna).count())
Person.objects.get(pk=anna.pk).delete()
print("left", ChatSession.objects.count(), NameShape.objects.filter(owner_id=anna.pk).count())
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """The project, with an empty database of PostgreSQL."""
    database = databases.postgresql()
    yield Project(tmp_path, database.url)
    databases.drop(database)


@pytest.mark.thorough
def test_a_project_has_a_user_model_of_its_own(project: Project) -> None:
    """On PostgreSQL. What uses the wheel does so on SQLite (test_wheel.py)."""
    use(project)


def use(project: Project) -> None:
    """Use an empty project from its setup to the deletion of a user."""
    prepared = project.prepare(_CREATE)
    assert "First administrator: admin" in prepared
    token = prepared.splitlines()[-1]
    site = project.serve()
    try:
        kinds, words = calculate(project.ws_url, token)
        assert kinds[-1] == "RUN_FINISHED"
        assert "42" in words
        for page in ("accounts/login/", "accounts/signup/", "admin/login/", "healthz"):
            with urlopen(project.base_url + page) as answer:
                assert answer.status == 200
    finally:
        assert site.stop() == 0
    assert project.manage("shell", "-c", _ASK).splitlines()[-5:] == [
        "model Person people_person",
        "alike refused",
        "shapes True",
        "tokens 0",
        "left 0 0",
    ]


@pytest.mark.parametrize(
    "wrong",
    ["    id = models.UUIDField(primary_key=True)\n", '\n    class Meta:\n        db_table = "People Here"\n'],
)
def test_a_user_model_that_cannot_be_used_is_told(tmp_path: Path, wrong: str) -> None:
    done = Project(tmp_path, databases.sqlite(tmp_path).url, MODELS + wrong).run("check")
    assert done.returncode == 1
    assert "AUTH_USER_MODEL=people.Person cannot be used: it must be an AbstractUser with an integer" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_names_of_users_are_those_of_the_model() -> None:
    asked = "SELECT 1 FROM {users} JOIN {memberships} AS m ON m.{member} = {users}.id"
    assert users.of_users(asked) == "SELECT 1 FROM auth_user JOIN auth_user_groups AS m ON m.user_id = auth_user.id"
    assert user_model.check(None) == []
