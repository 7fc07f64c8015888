"""Logins by an OpenID provider: whose account it is, which groups it gives, and what is said when it fails."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.test import Client

from sessions_app.accounts.models import GivenGroup, IdentityProvider, ProviderGroup
from tests.accounts.conftest import PASSWORD, is_signed_in
from tests.accounts.openid import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    come_back,
    leave,
    log_in,
    log_in_there,
    openid,
    running_openid,
)
from tests.thorough import thorough

__all__ = ["openid", "running_openid"]

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def user_of(subject: str) -> User:
    return User.objects.get(socialaccount__uid=subject)


def groups_of(subject: str) -> set[str]:
    return set(user_of(subject).groups.values_list("name", flat=True))


def test_a_first_login_makes_an_account_and_the_second_finds_it(openid: OpenIdProvider) -> None:
    told = {"preferred_username": "ann", "given_name": "Ann", "email": "ann@example.org", "email_verified": True}
    openid.hold({"a1": told})
    client = Client()
    response = log_in(client, "a1", "/accounts/oidc/sso/login/?next=/accounts/tokens/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/tokens/")
    assert is_signed_in(client)
    user = user_of("a1")
    assert (user.username, user.email, user.first_name) == ("ann", "ann@example.org", "Ann")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser
    openid.hold({"a1": {"preferred_username": "another", "is_staff": True, "is_superuser": True, "groups": ["admin"]}})
    again = Client()
    log_in(again, "a1")
    assert is_signed_in(again)
    assert User.objects.count() == 1
    assert user_of("a1").username == "ann"


def test_a_name_or_an_address_finds_no_account(openid: OpenIdProvider) -> None:
    User.objects.create_superuser("admin", "admin@example.org", PASSWORD)
    User.objects.create_user("ann", "ann@example.org", PASSWORD)
    claims: dict[str, dict[str, Any]] = {
        "a1": {"preferred_username": "admin", "email": "admin@example.org", "email_verified": True},
        "a2": {"preferred_username": "ADMIN"},
        "a3": {"preferred_username": "\u0430dmin"},
        "a4": {"email": "ann@example.org", "email_verified": False},
        "a5": {"preferred_username": "x\n<script>" * 50, "name": ["no", "text"], "email": 7, "groups": {"a": 1}},
        "a6": {},
    }
    openid.hold(claims)
    for subject in claims:
        assert log_in(Client(), subject).status_code == 302
    names = {subject: user_of(subject).username for subject in claims}
    assert names["a1"] == "admin-2"
    assert names["a2"].startswith("ADMIN-")
    assert names["a3"].startswith("\u0430dmin-")
    assert (names["a4"], names["a6"]) == ("ann-2", "user")
    assert user_of("a1").email == "admin@example.org"
    assert user_of("a4").email == ""
    assert User.objects.count() == 8
    assert not User.objects.filter(socialaccount__isnull=False, is_staff=True).exists()
    openid.hold({"a6": {"preferred_username": "admin"}})
    log_in(Client(), "a6")
    assert user_of("a6").username == "user"


def test_groups_are_given_and_taken_and_those_by_hand_stay(openid: OpenIdProvider, settings: Any) -> None:
    for name in ("writers", "readers", "by hand", "secret"):
        Group.objects.create(name=name)
    settings.OIDC_GROUPS = ["writers", "readers", "by hand", "missing here"]
    many = [f"group {number} of an organisation with a long name indeed" for number in range(5_000)]
    openid.hold({"a1": {"groups": [*many, "writers", "readers", "secret", 7, None]}})
    log_in(Client(), "a1")
    assert groups_of("a1") == {"writers", "readers"}
    user_of("a1").groups.add(Group.objects.get(name="by hand"))
    openid.hold({"a1": {"groups": ["readers", "by hand"]}})
    log_in(Client(), "a1")
    assert groups_of("a1") == {"readers", "by hand"}
    openid.hold({"a1": {}})
    log_in(Client(), "a1")
    assert groups_of("a1") == {"by hand"}
    assert not GivenGroup.objects.exists()
    settings.OIDC_GROUPS_CLAIM = "realm_access.roles"
    openid.hold({"a1": {"realm_access": {"roles": "writers"}}})
    log_in(Client(), "a1")
    assert groups_of("a1") == {"writers", "by hand"}


def test_a_provider_that_is_a_row_has_groups_and_people_of_its_own(openid: OpenIdProvider, settings: Any) -> None:
    settings.OIDC_ISSUER = ""
    row = IdentityProvider(key="second", name="Second", issuer=openid.issuer, client_id=CLIENT_ID)
    row.keep_secret(CLIENT_SECRET)
    row.save()
    assert CLIENT_SECRET not in row.sealed_secret
    writers = Group.objects.create(name="writers")
    ProviderGroup.objects.create(provider=row, value="0f1e-guid", group=writers)
    openid.hold({"a1": {"groups": ["0f1e-guid"]}})
    page = Client().get("/accounts/login/").content.decode()
    assert "Log in with Second" in page
    log_in(Client(), "a1", "/accounts/oidc/second/login/")
    assert groups_of("a1") == {"writers"}
    IdentityProvider.objects.update(sealed_secret="sealed with another key")
    response = Client().get("/accounts/oidc/second/login/")
    assert response.status_code == 502
    assert "Back to the login" in response.content.decode()
    IdentityProvider.objects.update(enabled=False)
    for address in ("second/login/", "second/callback/", "sso/login/", "github/login/"):
        assert Client().get(f"/accounts/oidc/{address}").status_code == 404


def test_who_was_deactivated_stays_out(openid: OpenIdProvider) -> None:
    openid.hold({"a1": {"groups": ["writers"]}})
    log_in(Client(), "a1")
    User.objects.update(is_active=False)
    response = log_in(client := Client(), "a1")
    assert response.status_code == 403
    assert "switched off" in response.content.decode()
    assert not is_signed_in(client)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "twist",
    [
        *("bad signature", "no signature", "somebody else", "large", "leads on", "/token: error", "/me: nonsense"),
        *map(thorough, ("no ID token", "no keys", "odd host", "odd token", "/token: nonsense", "/token: list")),
        *map(thorough, ("/jwks: error", "/.well-known: list")),
    ],
)
def test_an_answer_that_cannot_be_believed_is_one_page(openid: OpenIdProvider, twist: str) -> None:
    client = Client(raise_request_exception=True)
    back = log_in_there(leave(client), "a1")
    openid.hold(twist=twist)
    response = come_back(client, back)
    assert response.status_code == 502
    page = response.content.decode()
    assert "Example cannot be reached" in page
    assert "Back to the login" in page
    assert not is_signed_in(client)
    assert not User.objects.exists()


def test_a_provider_that_is_down_or_another_one_is_one_page(openid: OpenIdProvider, settings: Any) -> None:
    for twist in ("/.well-known: nonsense", "/.well-known: error", "other issuer", "strange address"):
        openid.hold(twist=twist)
        assert Client().get("/accounts/oidc/sso/login/").status_code == 502
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert Client().get("/accounts/oidc/sso/login/").status_code == 502


@pytest.mark.thorough
def test_a_clock_that_is_a_little_off_is_borne_and_no_more(openid: OpenIdProvider) -> None:
    for seconds, status in ((-60, 302), (50, 302), (-7_200, 502)):
        client = Client()
        back = log_in_there(leave(client), "a1")
        openid.hold(clock=seconds)
        assert come_back(client, back).status_code == status
        openid.hold()


def test_what_was_used_or_was_begun_elsewhere_logs_nobody_in(openid: OpenIdProvider) -> None:
    client = Client()
    back = log_in_there(leave(client), "a1")
    stranger = come_back(Client(), back)
    assert stranger.status_code == 400
    assert "Begin again" in stranger.content.decode()
    assert come_back(client, back).status_code == 302
    client.post("/accounts/logout/")
    assert come_back(client, back).status_code == 400
    assert not is_signed_in(client)
    openid.hold(twist="replayed token")
    response = log_in(client, "a1")
    assert response.status_code == 502
    assert not is_signed_in(client)
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    refused = client.get(f"/accounts/oidc/sso/callback/?state={state}&error=access_denied")
    assert refused.status_code == 403
    assert "You did not agree at Example" in refused.content.decode()
    assert client.get("/accounts/oidc/sso/callback/?state=%00&code=x").status_code == 400


def test_attempts_that_come_to_nothing_are_counted(openid: OpenIdProvider) -> None:
    statuses = [Client().get("/accounts/oidc/sso/callback/?state=x&code=y").status_code for _ in range(51)]
    assert statuses == [400] * 50 + [429]
    assert (
        Client()
        .get("/accounts/oidc/sso/login/", headers={"sec-fetch-site": "cross-site"})["Location"]
        .startswith("/accounts/login/")
    )


def test_a_user_connects_a_provider_and_disconnects(openid: OpenIdProvider, owner: User, signed_in: Client) -> None:
    for address in ("/accounts/oidc/sso/connect/", "/accounts/oidc/links/1/disconnect/"):
        assert signed_in.post(address)["Location"].startswith("/accounts/security/confirm/")
    assert signed_in.post("/accounts/security/confirm/", {"password": PASSWORD}).status_code == 302
    page = signed_in.post("/accounts/oidc/sso/connect/")
    assert come_back(signed_in, log_in_there(page.context["address"], "a1"))["Location"] == "/accounts/security/"
    assert user_of("a1") == owner
    log_in(other := Client(), "a1")
    assert is_signed_in(other)
    assert User.objects.count() == 1
    User.objects.create_user("second", password=PASSWORD)
    (second := Client()).post("/accounts/login/", {"username": "second", "password": PASSWORD})
    second.post("/accounts/security/confirm/", {"password": PASSWORD})
    page = second.post("/accounts/oidc/sso/connect/")
    response = come_back(second, log_in_there(page.context["address"], "a1"))
    assert response.status_code == 409
    assert user_of("a1") == owner
    link = SocialAccount.objects.get()
    assert second.post(f"/accounts/oidc/links/{link.pk}/disconnect/").status_code == 404
    signed_in.post(f"/accounts/oidc/links/{link.pk}/disconnect/")
    assert not SocialAccount.objects.exists()


def test_a_user_without_a_password_confirms_by_the_provider(openid: OpenIdProvider) -> None:
    log_in(client := Client(), "a1")
    assert "Log in with Example again" in client.get("/accounts/security/confirm/").content.decode()
    page = client.post("/accounts/oidc/sso/confirm/", {"next": "/accounts/security/app/"})
    assert "max_age=0" in page.context["address"]
    other = come_back(client, log_in_there(page.context["address"], "a2"))
    assert other.status_code == 409
    page = client.post("/accounts/oidc/sso/confirm/", {"next": "/accounts/security/app/"})
    back = come_back(client, log_in_there(page.context["address"], "a1"))
    assert back["Location"] == "/accounts/security/app/"
    assert client.get("/accounts/security/app/").status_code == 200
    link = SocialAccount.objects.get()
    client.post(f"/accounts/oidc/links/{link.pk}/disconnect/")
    assert SocialAccount.objects.exists(), "the only way in stays"


def test_where_all_log_in_by_a_provider_administrators_alone_have_a_password(
    openid: OpenIdProvider, owner: User, settings: Any
) -> None:
    settings.OIDC_ONLY, settings.HERMES_SIGNUP, settings.HERMES_SENDS_MAIL = True, "open", True
    client = Client()
    page = client.get("/accounts/login/").content.decode()
    assert "Log in with Example" in page
    assert 'name="password"' not in page
    form = {"username": "owner", "password": PASSWORD}
    assert client.post("/accounts/login/", form).status_code == 302
    assert not is_signed_in(client)
    assert client.post("/accounts/signup/", {"username": "new", "password1": PASSWORD}).status_code == 403
    for address in ("password_reset/", "login/passkey/"):
        assert client.post(f"/accounts/{address}").status_code == 404
    assert 'name="password"' in client.get("/admin/login/?next=/admin/").content.decode()
    assert "is wrong" in client.post("/admin/login/", form).content.decode()
    assert not is_signed_in(client)
    User.objects.update(is_staff=True)
    assert client.post("/admin/login/", form)["Location"] == "/admin/"
    assert is_signed_in(client)


def test_the_pages_of_the_library_are_not_there(openid: OpenIdProvider) -> None:
    for address in ("social/connections/", "2fa/", "email/confirm/", "reauthenticate/", "3rdparty/", "login/code/"):
        assert Client().get(f"/accounts/{address}").status_code == 404
