"""What an identity provider may not do, and who is one."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from sessions_app.models import ApiToken, ProvisionedGroup
from tests.scim.conftest import GROUP, USER, Directory


def status_of(token: str) -> int:
    return Directory(token).send("GET", "/Users")[0]


@pytest.mark.one_database
def test_only_a_superusers_token_for_scim_opens_it_and_it_opens_nothing_else(boss: User) -> None:
    output = StringIO()
    call_command("create_token", "boss", "--scim", stdout=output)
    token = output.getvalue().strip()
    assert status_of(token) == 200
    assert ApiToken.find(token) is None
    assert ApiToken.objects.get(is_for_scim=True).last_used_at is not None
    for other in ("", "x", "\x00", "ÿ", ApiToken.issue(boss, "ordinary")[1]):
        assert status_of(other) == 401
    User.objects.filter(pk=boss.pk).update(is_superuser=False)
    assert status_of(token) == 401
    User.objects.filter(pk=boss.pk).update(is_superuser=True, is_active=False)
    assert status_of(token) == 401
    User.objects.filter(pk=boss.pk).update(is_active=True)
    assert status_of(token) == 401  # it ended with the account


def test_no_token_for_scim_is_made_for_less_than_a_superuser(boss: User) -> None:
    User.objects.create_user("clerk", is_staff=True)
    for arguments in (["clerk", "--scim"], ["boss", "--scim", "--read-only"], ["boss", "--scim", "--profile", "x"]):
        with pytest.raises(CommandError):
            call_command("create_token", *arguments)
    assert not ApiToken.objects.exists()


def row(user: User) -> dict[str, Any]:
    return dict(User.objects.filter(pk=user.pk).values().get())


@pytest.mark.one_database
def test_an_administrator_is_seen_and_never_changed(directory: Directory, boss: User) -> None:
    path, before = f"/Users/{boss.pk}", row(boss)
    assert directory.get(path)["userName"] == "boss"
    for change in (
        {"active": False},
        {"userName": "nobody"},
        {"externalId": "theirs"},
        {"emails": [{"value": "mine@example.com"}]},
        {"name": {"givenName": "x"}},
    ):
        assert directory.patch(path, {"op": "replace", "value": change})[0] == 403
        assert directory.send("PUT", path, {"schemas": [USER], "userName": "boss", **change})[0] == 403
    assert directory.send("DELETE", path)[0] == 403
    # What asks for nothing new is taken.
    assert directory.send("PUT", path, {"schemas": [USER], "userName": "boss", "active": True})[0] == 200
    assert row(boss) == before


@pytest.mark.one_database
def test_of_staff_only_the_state_is_changed(directory: Directory) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    path = f"/Users/{clerk.pk}"
    for change in ({"userName": "x"}, {"emails": [{"value": "x@example.com"}]}, {"name": {"familyName": "x"}}):
        assert directory.patch(path, {"op": "replace", "value": change})[0] == 403
        assert directory.send("PUT", path, {"schemas": [USER], "userName": "clerk", "active": True, **change})[0] == 403
    for state in (False, True):
        assert directory.patch(path, {"op": "replace", "value": {"active": state}})[1]["active"] is state
    assert row(clerk)["is_staff"]


@pytest.mark.one_database
@pytest.mark.parametrize("is_staff", [True, False])
def test_what_may_not_be_changed_keeps_no_access_from_ending(directory: Directory, is_staff: bool) -> None:
    """Okta sends the whole object with it. The answer shows what has become of it: nothing else has changed."""
    User.objects.create_user("taken")
    user = User.objects.create_user("clerk", is_staff=is_staff)
    path, others = f"/Users/{user.pk}", {"userName": "taken", "name": {"familyName": "x"}}
    put = {"schemas": [USER], "active": False, **others}
    patch = {"op": "replace", "value": {"active": False, "externalId": "x" * 300, **others}}
    ends: list[Callable[[], tuple[int, Any]]] = [
        lambda: directory.send("PUT", path, put),
        lambda: directory.patch(path, patch),
    ]
    for end in ends:
        status, told = end()
        assert (status, told["active"], told["userName"]) == (200, False, "clerk")
        assert (row(user)["is_active"], row(user)["username"], row(user)["last_name"]) == (False, "clerk", "")
        # Once it has ended, what is refused is refused as ever.
        assert end()[0] in (403, 409, 400)
        assert directory.patch(path, {"op": "replace", "value": {"active": True}})[0] == 200


@pytest.mark.one_database
def test_nobody_gets_rights(directory: Directory) -> None:
    rights = {"is_staff": True, "is_superuser": True, "isStaff": True, "roles": [{"value": "superuser"}]}
    made = directory.make("new", **rights, password="secret of the provider", groups=[{"value": "1"}])
    path = f"/Users/{made['id']}"
    assert directory.patch(path, {"op": "add", "value": {"roles": [{"value": "staff"}], "entitlements": []}})[0] == 200
    assert directory.patch(path, {"op": "add", "path": "is_superuser", "value": True})[0] == 400
    user = User.objects.get(username="new")
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (False, False, False)
    assert not user.groups.exists()


@pytest.mark.one_database
def test_the_address_for_a_new_password_stays_the_users_own(directory: Directory) -> None:
    user = User.objects.create_user("local", "local@example.com", "of the site")
    path, theirs = f"/Users/{user.pk}", [{"value": "theirs@example.com", "primary": True}]
    told = directory.send("PUT", path, {"schemas": [USER], "userName": "local", "emails": theirs, "active": False})
    assert (told[0], told[1]["active"]) == (200, False)
    assert directory.patch(path, {"op": "replace", "value": {"emails": theirs}})[0] == 200
    assert row(user)["email"] == "local@example.com"
    user.set_unusable_password()
    user.save()
    assert directory.patch(path, {"op": "replace", "value": {"emails": theirs}})[0] == 200
    assert row(user)["email"] == "theirs@example.com"


@pytest.mark.one_database
def test_whom_an_administrator_has_deactivated_stays_so(directory: Directory) -> None:
    user = User.objects.get(pk=directory.make("new")["id"])
    path, on = f"/Users/{user.pk}", {"op": "replace", "value": {"active": True}}
    off = {"op": "replace", "value": {"active": False}}
    directory.patch(path, off)
    assert directory.patch(path, on)[0] == 200
    directory.patch(path, off)
    User.objects.filter(pk=user.pk).update(is_active=True)
    User.objects.filter(pk=user.pk).update(is_active=False)  # by hand
    assert directory.patch(path, on)[0] == 403
    assert directory.patch(path, off)[0] == 200
    assert directory.patch(path, {"op": "replace", "path": "name.givenName", "value": "Ada"})[0] == 200
    assert not row(user)["is_active"]


def test_a_deleted_account_keeps_its_name_and_comes_back_as_itself_only(directory: Directory) -> None:
    made = directory.make("ada", externalId="1")
    path = f"/Users/{made['id']}"
    assert directory.send("DELETE", path)[0] == 204
    for method in ("GET", "DELETE"):
        assert directory.refusal(method, path) == (404, None)
    assert directory.patch(path, {"op": "replace", "value": {"active": True}})[0] == 404
    assert directory.found("/Users", 'userName eq "ada"') == []
    for other in ({}, {"externalId": "2"}):
        assert directory.refusal("POST", "/Users", {"schemas": [USER], "userName": "ada", **other}) == (
            409,
            "uniqueness",
        )
    again = directory.make("ada", externalId="1")
    assert (again["id"], again["active"]) == (made["id"], True)


def test_a_name_that_looks_like_another_is_taken(directory: Directory) -> None:
    directory.make("paypal")
    made = directory.make("other")
    for name in ("PAYPAL", "p\u0430ypal", "\uff50aypal", "boss"):
        assert directory.refusal("POST", "/Users", {"schemas": [USER], "userName": name}) == (409, "uniqueness")
        status, told = directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": name})
        assert (status, told["scimType"]) == (409, "uniqueness")
    # What looks alike is not the same: the provider must not take it for its own.
    assert directory.found("/Users", 'userName eq "p\u0430ypal"') == []
    assert directory.found("/Users", 'userName eq "PayPal"') == ["paypal"]
    made = directory.make("Ærøskøbing")
    assert directory.found("/Users", 'userName eq "ÆRØSKØBING"') == ["Ærøskøbing"]


@pytest.mark.one_database
def test_groups_of_others_are_not_there_and_rights_are_not_given(directory: Directory, boss: User) -> None:
    clerks = Group.objects.create(name="clerks")
    path, user = f"/Groups/{clerks.pk}", directory.make("new")
    add = {"op": "add", "path": "members", "value": [{"value": user["id"]}]}
    assert directory.patch(path, add)[0] == directory.send("DELETE", path)[0] == 404
    assert directory.get("/Groups")["totalResults"] == 0
    for name in ("clerks", "Clerks"):
        assert directory.refusal("POST", "/Groups", {"schemas": [GROUP], "displayName": name}) == (409, "uniqueness")
    row = ProvisionedGroup.objects.create(group=clerks)
    assert directory.patch(path, add)[0] == 204
    clerks.permissions.add(Permission.objects.get(codename="view_message"))
    remove = {"op": "remove", "path": "members"}
    rename = {"op": "replace", "path": "displayName", "value": "x"}
    assert [directory.patch(path, each)[0] for each in (add, remove, rename)] == [403] * 3
    assert directory.send("DELETE", path)[0] == 403
    row.may_hold_rights = True
    row.save()
    assert directory.patch(path, remove)[0] == 204
    assert not clerks.user_set.exists()


def test_a_deleted_group_leaves_nothing_open(directory: Directory) -> None:
    """Profiles of a group that is gone would be everybody's."""
    made = directory.make_group("team", directory.make("new")["id"])
    assert directory.send("DELETE", f"/Groups/{made['id']}")[0] == 204
    group = Group.objects.get(pk=made["id"])
    assert not group.user_set.exists()
    assert directory.make_group("team")["id"] == made["id"]


@pytest.mark.one_database
def test_a_superuser_hands_a_group_over_in_the_admin(boss: User) -> None:
    browser, clerks = Client(), Group.objects.create(name="clerks")
    browser.force_login(boss)
    page = f"/admin/auth/group/{clerks.pk}/change/"
    for filled, allowed in (("by SCIM", False), ("by SCIM, with rights", True), ("by hand", None)):
        assert browser.post(page, {"name": "clerks", "filled": filled}).status_code == 302
        assert ProvisionedGroup.objects.values_list("may_hold_rights", flat=True).first() is allowed
        assert f'<option value="{filled}" selected>' in browser.get(page).content.decode()
    assert browser.post("/admin/auth/group/add/", {"name": "new", "filled": "by SCIM"}).status_code == 302
    assert ProvisionedGroup.objects.get().group.name == "new"
    assert browser.post(page, {"name": "clerks"}).status_code == 302
    assert not ProvisionedGroup.objects.filter(group=clerks).exists()
    assert browser.post(page, {"name": "clerks", "filled": "x"}).status_code == 200
    row = ProvisionedGroup.objects.create(group=clerks, deleted_at=timezone.now())
    assert browser.post(page, {"name": "clerks", "filled": "by SCIM"}).status_code == 302
    row.refresh_from_db()
    assert row.deleted_at is None
