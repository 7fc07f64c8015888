"""Requests at the same instant, and large ones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.models import ApiToken
from sessions_app.scim import groups
from tests.scim.conftest import GROUP, USER, Directory

AT_ONCE = 4
MEMBERS = 500


@pytest.fixture
def token(transactional_db: None) -> str:
    return ApiToken.issue(User.objects.create_superuser("boss"), "SCIM", is_for_scim=True)[1]


def together(token: str, ask: Callable[[Directory, int], Any]) -> list[Any]:
    """What several requests at the same instant are answered."""
    barrier = Barrier(AT_ONCE)

    def work(number: int) -> Any:
        barrier.wait()
        try:
            return ask(Directory(token), number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, range(AT_ONCE)))


def test_of_users_and_groups_of_one_name_one_is_made(token: str) -> None:
    names = ["ada", "ADA", "Ada", "a\u0501a"]
    users = together(
        token, lambda directory, n: directory.send("POST", "/Users", {"schemas": [USER], "userName": names[n]})[0]
    )
    assert sorted(users) == [201, 409, 409, 409]
    groups = together(
        token, lambda directory, _: directory.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "team"})[0]
    )
    assert sorted(groups) == [201, 409, 409, 409]
    # One user, who is renamed, filled in and deactivated at once: all of it is there afterwards.
    user = User.objects.exclude(username="boss").get()
    changes: list[dict[str, Any]] = [
        {"active": False},
        {"name": {"givenName": "Ada"}},
        {"emails": [{"value": "ada@example.com"}]},
        {"externalId": "1"},
    ]
    path = f"/Users/{user.pk}"
    answers = together(token, lambda directory, n: directory.patch(path, {"op": "replace", "value": changes[n]})[0])
    assert answers == [200] * AT_ONCE
    user.refresh_from_db()
    assert (user.is_active, user.first_name, user.email) == (False, "Ada", "ada@example.com")
    assert Directory(token).get(path)["externalId"] == "1"


@pytest.mark.thorough_on_postgresql
def test_many_members_come_and_go_by_few_statements(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_AT_ONCE", 100)
    User.objects.bulk_create(User(username=f"user{number}") for number in range(MEMBERS))
    keys = [str(pk) for pk in User.objects.exclude(username="boss").order_by("pk").values_list("pk", flat=True)]
    directory = Directory(token)
    path = f"/Groups/{directory.make_group('everybody')['id']}"
    one_by_one = [{"op": "add", "path": "members", "value": [{"value": key}]} for key in keys]
    for operations in (
        one_by_one,
        [{"op": "replace", "path": "members", "value": [{"value": key} for key in keys[:400]]}],
        [{"op": "remove", "path": f'members[value eq "{key}"]'} for key in keys],
    ):
        with CaptureQueriesContext(connection) as queries:
            assert directory.patch(path, *operations)[0] == 204
        assert len(queries) < 60
    assert Group.objects.get().user_set.count() == 0
    answers = together(token, lambda directory, n: directory.patch(path, *one_by_one[n::AT_ONCE])[0])
    assert answers == [204] * AT_ONCE
    assert len(directory.get(path)["members"]) == MEMBERS
