"""Staff who try to get more rights than they were given: by every form and button, and fields added by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from sessions_app.models import ApiToken
from tests.admin.conftest import Enter, list_of, page_of, text_of

# What its pages ask of the database, other tests of admin ask of PostgreSQL as well.

FLAGS = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
RIGHTS = [f"{verb}_{name}" for verb in ("view", "add", "change", "delete") for name in ("user", "group", "apitoken")]
DATES = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
PASSWORD = {"password1": "stolen-1234", "password2": "stolen-1234", "usable_password": "true"}


@pytest.fixture
def staff(enter: Enter) -> Client:
    """Staff with all rights over users, groups and tokens."""
    return enter(*RIGHTS, "delete_chatsession")


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", email="root@example.com", password="root")


@pytest.fixture
def colleague(db: None) -> User:
    return User.objects.create_user("colleague", password="colleague", is_staff=True)


def account_of(client: Client) -> User:
    """Who is logged in."""
    return User.objects.get(pk=client.session["_auth_user_id"])


def password_page(user: User) -> str:
    """Where admin sets a user's password."""
    return reverse("admin:auth_user_password_change", args=[user.pk])


def filled(user: User, **more: Any) -> dict[str, Any]:
    """A user's form, with the fields that staff are not offered."""
    every_right = [str(key) for key in Permission.objects.values_list("pk", flat=True)]
    return {"username": user.username, **DATES, **FLAGS, "user_permissions": every_right} | more


def state_of(user: User) -> tuple[Any, ...]:
    """All that is stored of a user."""
    rows = User.objects.filter(pk=user.pk).values().get()
    found = User.objects.get(pk=user.pk)
    return rows, set(found.groups.all()), set(found.user_permissions.all())


def test_staff_do_not_make_themselves_superusers(staff: Client) -> None:
    me = account_of(staff)
    before = state_of(me)
    for page in (page_of(me), f"{page_of(me)}?_popup=1", f"{page_of(me)}?_to_field=id"):
        assert staff.post(page, filled(me)).status_code == 403
    assert state_of(me) == before


def test_staff_give_no_rights_to_others(staff: Client, alice: User) -> None:
    group = Group.objects.create(name="readers")
    for more in ({}, {"_popup": "1"}, {"_continue": "1"}):
        form = filled(alice, groups=[group.pk], email="alice@example.com", **more)
        assert staff.post(page_of(alice), form).status_code in (200, 302)
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert (alice.is_staff, alice.is_superuser) == (False, False)
    assert not alice.groups.exists()
    assert not alice.user_permissions.exists()
    seen = text_of(staff, page_of(alice))
    for field in ("is_staff", "is_superuser", "groups", "user_permissions"):
        assert f'name="{field}"' not in seen


@pytest.mark.parametrize("button", [{}, {"_popup": "1"}, {"_saveasnew": "1"}])
def test_staff_add_only_users_without_rights(staff: Client, alice: User, button: dict[str, str]) -> None:
    every_right = filled(alice)["user_permissions"]
    form = {"username": "new", **PASSWORD, **FLAGS, **DATES, "user_permissions": every_right, **button}
    staff.post(page_of(alice) if "_saveasnew" in button else list_of(User) + "add/", form)
    new = User.objects.get(username="new")
    assert (new.is_staff, new.is_superuser, new.user_permissions.count()) == (False, False, 0)


@pytest.mark.parametrize("name", ["root", "colleague"])
def test_an_account_of_staff_is_a_superusers_affair(staff: Client, root: User, colleague: User, name: str) -> None:
    user = User.objects.get(username=name)
    before = state_of(user)
    changes = [{"email": "mine@example.com"}, {"username": "renamed"}, {"is_active": ""}, {"is_superuser": ""}]
    for changed in changes:
        assert staff.post(page_of(user), filled(user, **changed)).status_code == 403
    for form in (PASSWORD, {"usable_password": "false", "unset-password": "1"}):
        assert staff.post(password_page(user), form).status_code == 403
    assert staff.get(password_page(user)).status_code == 403
    assert staff.post(page_of(user, "delete"), {"post": "yes"}).status_code == 403
    assert state_of(user) == before


def test_one_of_staff_among_others_is_not_deleted_by_an_action(staff: Client, alice: User, root: User) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [alice.pk, root.pk], "post": "yes"}
    for form in (chosen, {**chosen, "index": "0"}, {**chosen, "select_across": "1"}):
        assert staff.post(list_of(User), form).status_code == 403
    assert User.objects.filter(pk__in=[alice.pk, root.pk]).count() == 2
    del chosen["post"]
    assert "account of staff" in staff.post(list_of(User), chosen).content.decode()


def test_staff_still_manage_ordinary_accounts(staff: Client, alice: User) -> None:
    staff.post(page_of(alice), {"username": "alice", "first_name": "Alice", **DATES})
    staff.post(password_page(alice), PASSWORD)
    alice.refresh_from_db()
    assert (alice.first_name, alice.is_active) == ("Alice", False)
    assert alice.check_password("stolen-1234")
    staff.post(page_of(alice, "delete"), {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()


def test_only_superusers_edit_groups(staff: Client, boss: Client) -> None:
    group = Group.objects.create(name="readers")
    group.user_set.add(account_of(staff))
    every_right = [str(key) for key in Permission.objects.values_list("pk", flat=True)]
    form = {"name": "changed", "permissions": every_right}
    for page in (page_of(group), list_of(Group) + "add/", page_of(group, "delete")):
        assert staff.post(page, {**form, "post": "yes"}).status_code == 403
        assert staff.post(page, {**form, "_saveasnew": "1", "_popup": "1"}).status_code == 403
    staff.post(list_of(Group), {"action": "delete_selected", "_selected_action": group.pk, "post": "yes"})
    assert (Group.objects.get().name, group.permissions.count()) == ("readers", 0)
    boss.post(page_of(group), form)
    assert group.permissions.count() == len(every_right)


def test_only_superusers_give_the_right_to_metrics(staff: Client, boss: Client, alice: User) -> None:
    tokens = [ApiToken.issue(owner)[0] for owner in (alice, account_of(staff), User.objects.get(username="boss"))]
    for token in tokens:
        form = {"can_read_metrics": "on", "owner": alice.pk}
        assert staff.post(page_of(token), form).status_code == 403
        assert staff.post(page_of(token), {**form, "_saveasnew": "1"}).status_code == 403
    assert staff.post(list_of(ApiToken) + "add/", {"owner": alice.pk, "can_read_metrics": "on"}).status_code == 403
    assert not ApiToken.objects.filter(can_read_metrics=True).exists()
    boss.post(page_of(tokens[0]), {"can_read_metrics": "on"})
    assert ApiToken.objects.get(can_read_metrics=True) == tokens[0]


def test_only_superusers_revoke_tokens_of_staff(staff: Client, alice: User, root: User, colleague: User) -> None:
    ordinary, *others = [ApiToken.issue(owner)[0] for owner in (alice, root, colleague)]
    for token in others:
        assert staff.post(page_of(token, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [ordinary.pk, others[0].pk], "post": "yes"}
    assert staff.post(list_of(ApiToken), chosen).status_code == 403
    assert ApiToken.objects.count() == 3
    staff.post(page_of(ordinary, "delete"), {"post": "yes"})
    assert set(ApiToken.objects.all()) == set(others)


def test_a_superuser_changes_rights(boss: Client, alice: User, colleague: User) -> None:
    boss.post(page_of(alice), filled(alice))
    boss.post(password_page(colleague), PASSWORD)
    alice.refresh_from_db()
    colleague.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser) == (True, True)
    assert alice.user_permissions.exists()
    assert colleague.check_password("stolen-1234")
    boss.post(page_of(colleague, "delete"), {"post": "yes"})
    assert not User.objects.filter(pk=colleague.pk).exists()


def test_no_part_of_a_passwords_hash_is_shown(boss: Client, alice: User) -> None:
    _, salt, digest = alice.password.split("$")
    seen = text_of(boss, page_of(alice)) + text_of(boss, list_of(User))
    assert "algorithm" not in seen
    assert digest[:6] not in seen
    assert f'href="{password_page(alice)}"' in seen
    assert salt not in seen


def test_the_password_page_is_offered_to_those_it_opens_for(staff: Client, alice: User, root: User) -> None:
    assert password_page(alice) in text_of(staff, page_of(alice))
    assert password_page(root) not in text_of(staff, page_of(root))
