"""No user's name can be taken for another's, whichever way it comes."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import IntegrityError, connection, transaction
from django.db.migrations import Migration
from django.test import Client
from pytest_django import Settings

from sessions_app.accounts import characters, names, triggers
from sessions_app.accounts.forms import SignupForm
from sessions_app.accounts.models import NameShape
from tests.accounts.conftest import LOGIN, PASSWORD, SIGNUP

pytestmark = pytest.mark.django_db

LOOK_ALIKES = {
    "other case": "ADMIN",
    "Cyrillic letter": "\u0430dmin",
    "Greek letter": "\u03b1dmin",
    "dotless i": "adm\u0131n",
    "dotted capital I": "ADM\u0130N",
    "full width": "\uff41\uff44\uff4d\uff49\uff4e",
    "mathematical letters": "\U0001d41adm\U0001d422n",
    "zero width space": "ad\u200bmin",
    "soft hyphen": "ad\u00admin",
    "invisible letter": "ad\u115fmin",
    "combining mark": "admi\u0323n",
    "accent": "\u00e1dmin",
    "Cyrillic capitals": "\u0410DMIN",
    "l for I in capitals": "ADMlN",
    "rn for m": "adrnin",
    "small capital of another script": "a\u217emin",
}


def raw(sql: str, *params: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def insert(name: str, how: str = "INSERT") -> None:
    columns = "username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined"
    raw(f"{how} INTO auth_user ({columns}) VALUES (%s, '', '', '', '', false, false, true, '2026-01-01')", name)


def rename_by_sql(name: str) -> None:
    User.objects.create_user("somebody")
    raw("UPDATE auth_user SET username = %s WHERE username = 'somebody'", name)


def rename_by_update(name: str) -> None:
    User.objects.create_user("somebody")
    User.objects.filter(username="somebody").update(username=name)


DOORS: dict[str, Callable[[str], Any]] = {
    "create_user": User.objects.create_user,
    "bulk_create": lambda name: User.objects.bulk_create([User(username=name)]),
    "update": rename_by_update,
    "SQL insert": insert,
    "SQL update": rename_by_sql,
}
# The others lead to the same triggers.
DOORS_ON_BOTH = [
    door if door.startswith("SQL") else pytest.param(door, marks=pytest.mark.one_database) for door in DOORS
]


@pytest.mark.parametrize("door", DOORS_ON_BOTH)
def test_the_database_refuses_a_look_alike(door: str) -> None:
    User.objects.create_user("admin")
    taken = []
    for kind, name in LOOK_ALIKES.items():
        try:
            with transaction.atomic():
                DOORS[door](name)
        except IntegrityError:
            continue
        taken.append(kind)
    assert taken == []
    assert list(User.objects.values_list("username", flat=True)) == ["admin"]


@pytest.mark.one_database
@pytest.mark.parametrize("kind", ["other case", "Cyrillic letter", "zero width space", "rn for m"])
def test_the_pages_refuse_a_look_alike(kind: str, client: Client, settings: Settings) -> None:
    settings.HERMES_SIGNUP = "open"
    client.force_login(User.objects.create_superuser("admin"))
    other, name = User.objects.create_user("somebody"), LOOK_ALIKES[kind]
    form = {"username": name, "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert Client().post(SIGNUP, form).status_code == 200
    assert client.post("/admin/auth/user/add/", form).status_code == 200
    changed = {"username": name, "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    assert client.post(f"/admin/auth/user/{other.pk}/change/", changed).status_code == 200
    assert set(User.objects.values_list("username", flat=True)) == {"admin", "somebody"}


def test_the_page_says_why_a_name_is_refused(client: Client, settings: Settings) -> None:
    settings.HERMES_SIGNUP = "open"
    User.objects.create_user("admin")
    form = {"username": "\u0430dmin", "password1": PASSWORD}
    assert names.REFUSAL in client.post(SIGNUP, form).content.decode()


def test_createsuperuser_refuses_a_look_alike_with_a_sentence() -> None:
    User.objects.create_user("admin")
    with pytest.raises(CommandError, match=names.REFUSAL):
        call_command("createsuperuser", username="\u0430dmin", email="", interactive=False, stdout=StringIO())


@pytest.mark.parametrize(("name", "other"), [("all", "Ali"), ("bob", "rob"), ("user2", "user3"), ("がき", "a")])
def test_names_that_differ_to_the_eye_are_free(name: str, other: str) -> None:
    User.objects.create_user(name)
    User.objects.create_user(other)
    assert User.objects.count() == 2


def test_a_user_may_be_saved_and_change_the_case_of_their_name() -> None:
    user = User.objects.create_user("admin")
    user.save()
    user.username = "Admin"
    user.full_clean(exclude=["password"])
    user.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("admin")


def test_the_name_of_a_deleted_or_renamed_user_is_free_again() -> None:
    User.objects.create_user("admin").delete()
    User.objects.create_user("Admin")
    raw("DELETE FROM auth_user")
    assert not NameShape.objects.exists()
    User.objects.create_user("admin")
    User.objects.update(username="somebody")
    User.objects.create_user("ADMIN")


@pytest.mark.django_db(transaction=True)
def test_of_four_sign_ups_at_once_one_gets_the_name(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.HERMES_SIGNUP = "open"
    # All have been found free by the form when the first is stored.
    monkeypatch.setattr(SignupForm, "clean_username", lambda form: form.cleaned_data["username"])
    monkeypatch.setattr(
        SignupForm, "_post_clean", lambda form: setattr(form.instance, "username", form.data["username"])
    )

    def sign_up(name: str) -> int:
        try:
            form = {"username": name, "password1": PASSWORD}
            return int(Client().post(SIGNUP, form).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(sign_up, ("mallory", "Mallory", "MALLORY", "m\u0430llory")))
    assert statuses == [200, 200, 200, 302]
    assert User.objects.count() == 1


@pytest.mark.one_database
@pytest.mark.parametrize("how", ["INSERT OR IGNORE", "INSERT OR REPLACE", "REPLACE"])
def test_no_conflict_clause_walks_around_the_refusal(how: str) -> None:
    User.objects.create_user("admin")
    with pytest.raises(IntegrityError), transaction.atomic():
        insert("ADMIN", how)


def test_python_and_the_database_see_the_same_shapes() -> None:
    chance = random.Random(12)
    letters = [row[0] for row in characters.rows()] + list("abcXYZ019._-")
    user = User.objects.create_user("start")
    for _ in range(100):
        name = "".join(chance.choices(letters, k=chance.randint(1, 12)))
        User.objects.update(username=name)
        assert set(NameShape.objects.filter(owner=user).values_list("shape", flat=True)) == names.shapes_of(name), (
            ascii(name)
        )


def test_the_table_of_characters_is_the_librarys() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT character, as_is, in_lower, in_upper FROM hermes_name_character")
        assert set(cursor.fetchall()) == set(characters.rows())


# A database from before.


def _is_alike(using: str = "default") -> list[str]:
    return [str(message.msg) for message in triggers.check(None, [using])]


@pytest.fixture
def older(db: None) -> list[User]:
    """Users whose names collide, from before the triggers came."""
    emit_pre_migrate_signal(0, interactive=False, db="default", plan=[(Migration("9999", "accounts"), False)])
    older = [User.objects.create_user(name, password=PASSWORD) for name in ("admin", "Admin", "\u0430dmin", "other")]
    emit_post_migrate_signal(0, interactive=False, db="default", plan=[])
    return older


def test_of_older_users_the_first_keeps_the_name_and_the_others_are_listed(older: list[User]) -> None:
    assert [NameShape.objects.filter(owner=user).exists() for user in older] == [True, False, False, True]
    [warning] = _is_alike()
    assert "'Admin', '\u0430dmin'" in warning
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("aDMIN")


def test_older_users_log_in_and_are_edited_as_before(older: list[User], client: Client) -> None:
    for user in older:
        assert Client().post(LOGIN, {"username": user.username, "password": PASSWORD}).status_code == 302
    client.force_login(User.objects.create_superuser("boss"))
    changed = {"username": "Admin", "first_name": "A", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    assert client.post(f"/admin/auth/user/{older[1].pk}/change/", changed).status_code == 302


def test_another_name_mends_an_older_user(older: list[User]) -> None:
    for user, name in zip(older[1:3], ("second", "third"), strict=True):
        User.objects.filter(pk=user.pk).update(username=name)
    assert _is_alike() == []


def test_a_missing_trigger_is_reported_and_made_again(db: None) -> None:
    assert _is_alike() == []
    raw("DROP TRIGGER hermes_name_insert" + (" ON auth_user" if connection.vendor == "postgresql" else ""))
    [error] = _is_alike()
    assert "hermes_name_insert" in error
    User.objects.create_user("admin")
    call_command("migrate", verbosity=0)
    assert _is_alike() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ADMIN")


@pytest.mark.django_db(transaction=True)
def test_fixtures_carry_users_with_their_shapes(tmp_path: Any) -> None:
    User.objects.create_user("admin")
    dump = partial(call_command, verbosity=0)
    dump("dumpdata", "auth.user", "accounts", output=str(tmp_path / "dump.json"))
    User.objects.all().delete()
    dump("loaddata", str(tmp_path / "dump.json"))
    assert NameShape.objects.filter(owner__username="admin").count() == len(names.shapes_of("admin"))
