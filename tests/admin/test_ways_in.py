"""What administrators do to how a user logs in: reset the second factor, disconnect a provider, add one."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from sessions_app.accounts.models import GivenGroup, IdentityProvider
from tests.admin.conftest import Enter

pytestmark = pytest.mark.django_db
ADD = "/admin/accounts/identityprovider/add/"
PROVIDER = {
    "key": "main",
    "name": "Main",
    "issuer": "https://login.example.org/realms/main",
    "client_id": "hermes",
    "new_secret": "a secret",
    "groups_claim": "groups",
    "enabled": "on",
    "groups-TOTAL_FORMS": "1",
    "groups-INITIAL_FORMS": "0",
    "groups-0-value": "guid",
}


def page_of(user: User) -> str:
    return reverse("admin:auth_user_ways_in", args=[user.pk])


def test_an_administrator_resets_a_second_factor(enter: Enter) -> None:
    user = User.objects.create_user("ann")
    for kind in ("totp", "recovery_codes"):
        Authenticator.objects.create(user=user, type=kind, data={"secret": "kept", "used_mask": 0})
    staff = enter("view_user", "change_user")
    shown = staff.get(page_of(user)).content.decode()
    assert "TOTP Authenticator" in shown
    assert "kept" not in shown
    staff.post(page_of(user), {"reset": "yes"})
    assert not Authenticator.objects.exists()
    assert LogEntry.objects.get().change_message == "The second factor was reset."
    boss = User.objects.create_superuser("boss")
    Authenticator.objects.create(user=boss, type="totp", data={})
    assert staff.post(page_of(boss), {"reset": "yes"}).status_code == 403
    assert enter("view_user").post(page_of(user), {"reset": "yes"}).status_code == 403
    assert Authenticator.objects.exists()


def test_who_is_disconnected_loses_what_the_provider_gave(enter: Enter) -> None:
    user, group = User.objects.create_user("ann"), Group.objects.create(name="writers")
    link = SocialAccount.objects.create(user=user, provider="https://login.example.org", uid="a1")
    GivenGroup.objects.create(account=link, group=group)
    user.groups.add(group, Group.objects.create(name="by hand"))
    other = SocialAccount.objects.create(user=User.objects.create_user("bob"), provider="https://x.example", uid="b")
    staff = enter("view_user", "change_user")
    for nothing in (str(other.pk), "x", "9" * 30, ""):
        staff.post(page_of(user), {"disconnect": nothing})
    assert SocialAccount.objects.count() == 2
    staff.post(page_of(user), {"disconnect": str(link.pk)})
    assert list(SocialAccount.objects.all()) == [other]
    assert list(user.groups.values_list("name", flat=True)) == ["by hand"]


def test_a_provider_is_added_and_its_secret_never_shown(boss: Client) -> None:
    group = Group.objects.create(name="writers")
    assert boss.post(ADD, PROVIDER | {"groups-0-group": group.pk}).status_code == 302
    row = IdentityProvider.objects.get()
    assert (row.secret, row.groups.get().value) == ("a secret", "guid")
    page = f"/admin/accounts/identityprovider/{row.pk}/change/"
    shown = boss.get(page).content.decode()
    assert "a secret" not in shown
    assert "/accounts/oidc/main/callback/" in shown
    kept = PROVIDER | {"new_secret": "", "groups-TOTAL_FORMS": "0"}
    assert boss.post(page, kept | {"name": "Other"}).status_code == 302
    assert IdentityProvider.objects.get().secret == "a secret"
    moved = boss.post(page, kept | {"issuer": "https://evil.example"})
    assert "is for another provider" in moved.content.decode()
    assert IdentityProvider.objects.get().issuer == row.issuer


@pytest.mark.parametrize(("field", "value"), [("key", "sso"), ("issuer", "ftp://x"), ("issuer", "x"), ("key", "a b")])
def test_a_provider_that_cannot_be_is_refused(boss: Client, field: str, value: str) -> None:
    page = boss.post(ADD, PROVIDER | {field: value, "groups-TOTAL_FORMS": "0"})
    assert page.status_code == 200
    assert 'class="errorlist"' in page.content.decode()
    assert not IdentityProvider.objects.exists()


def test_providers_are_for_superusers(enter: Enter) -> None:
    staff = enter("view_identityprovider", "change_identityprovider", "add_identityprovider", "view_socialapp")
    assert staff.get(ADD).status_code == 403
    assert staff.get("/admin/accounts/identityprovider/").status_code == 403
    for address in (
        "socialaccount/socialapp",
        "socialaccount/socialaccount",
        "mfa/authenticator",
        "account/emailaddress",
    ):
        assert staff.get(f"/admin/{address}/").status_code == 404
