"""Second factors: asked for at every door that gives a login, each good once, guessed at by nobody."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.accounts.factors import codes
from tests.accounts.conftest import LOGIN, PASSWORD, Clock, browser_of, is_signed_in
from tests.accounts.openid import OpenIdProvider, log_in, openid, running_openid

__all__ = ["openid", "running_openid"]

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SECOND, CONFIRM, SECURITY = "/accounts/login/second-factor/", "/accounts/security/confirm/", "/accounts/security/"
APP, RECOVERY = "/accounts/security/app/", "/accounts/security/recovery-codes/"


def code_of(secret: str, clock: Clock, later: int = 0) -> str:
    """What the user's app shows, half minutes later."""
    code: str = format_hotp_value(hotp_value(secret, int(clock.now.timestamp()) // codes.PERIOD_SECONDS + later))
    return code


def confirm(client: Client) -> None:
    assert client.post(CONFIRM, {"password": PASSWORD}).status_code == 302


def set_up(client: Client, clock: Clock) -> tuple[str, list[str]]:
    """Set up an app; return its secret and the recovery codes that are shown with it."""
    confirm(client)
    secret = "".join(client.get(APP).context["groups"])
    page = client.post(APP, {"code": code_of(secret, clock)})
    clock.pass_by(minutes=2)
    return secret, re.findall(r"\d{4} \d{4}", page.content.decode())


def half_way(name: str = "owner", address: str = "192.0.2.9") -> Client:
    """A browser that is not known, in which the password was right."""
    client = Client(REMOTE_ADDR=address)
    assert client.post(LOGIN, {"username": name, "password": PASSWORD})["Location"] == SECOND
    assert not is_signed_in(client)
    return client


def test_an_app_is_set_up_and_asked_for_from_then_on(signed_in: Client, clock: Clock) -> None:
    assert signed_in.get(APP)["Location"].startswith(CONFIRM)
    confirm(signed_in)
    page = signed_in.get(APP)
    secret = "".join(page.context["groups"])
    assert "<svg" in page.content.decode()
    assert f"secret={secret}" in page.context["address"]
    assert "That is not the code" in signed_in.post(APP, {"code": "000000"}).content.decode()
    shown = signed_in.post(APP, {"code": code_of(secret, clock)}).content.decode()
    assert len(re.findall(r"\d{4} \d{4}", shown)) == 10
    assert not re.findall(r"\d{4} \d{4}", signed_in.get(SECURITY).content.decode())
    assert secret not in str(Authenticator.objects.values_list("data", flat=True))
    assert is_signed_in(signed_in)
    client = half_way()
    assert "was used before" in client.post(SECOND, {"code": code_of(secret, clock)}).content.decode()
    assert client.post(SECOND, {"code": code_of(secret, clock, 1)})["Location"] == "/"
    assert is_signed_in(client)
    assert "That code is wrong" in half_way().post(SECOND, {"code": code_of(secret, clock, 1)}).content.decode()
    clock.pass_by(minutes=-1)
    assert signed_in.post(CONFIRM, {"code": code_of(secret, clock, -1)}).status_code == 302, "the clock went back"


def test_a_code_stays_used_however_many_others_are_used_after_it(signed_in: Client, clock: Clock) -> None:
    secret, _ = set_up(signed_in, clock)
    clock.pass_by(minutes=5)
    seen = code_of(secret, clock, 1)
    for later in (1, 0, -1):
        assert half_way().post(SECOND, {"code": code_of(secret, clock, later)}).status_code == 302
    for _ in range(2):
        clock.pass_by(seconds=codes.PERIOD_SECONDS)
        assert half_way().post(SECOND, {"code": code_of(secret, clock, 1)}).status_code == 302
        assert "was used before" in half_way().post(SECOND, {"code": seen}).content.decode()


def test_a_recovery_code_lets_in_once_and_new_ones_end_the_old(signed_in: Client, clock: Clock) -> None:
    _, given = set_up(signed_in, clock)
    assert half_way().post(SECOND, {"code": given[0]}).status_code == 302
    assert half_way().post(SECOND, {"code": given[0]}).status_code == 200
    assert "9 of 10 are left" in signed_in.get(SECURITY).content.decode()
    confirm(signed_in)
    shown = signed_in.post(RECOVERY).content.decode()
    [*new] = re.findall(r"\d{4} \d{4}", shown)
    assert half_way().post(SECOND, {"code": given[1]}).status_code == 200
    assert half_way().post(SECOND, {"code": new[1].replace(" ", "")}).status_code == 302
    signed_in.post("/accounts/security/app/remove/")
    assert not Authenticator.objects.exists()
    browser_of("owner", address="192.0.2.10")


def test_every_door_asks_for_it(signed_in: Client, owner: User, clock: Clock, openid: OpenIdProvider) -> None:
    set_up(signed_in, clock)
    User.objects.update(is_staff=True, is_superuser=True)
    client = Client()
    assert client.post(f"{LOGIN}?next=/admin/", {"username": "owner", "password": PASSWORD})["Location"] == SECOND
    assert client.get("/admin/").status_code == 302
    SocialAccount.objects.create(user=owner, provider=openid.issuer, uid="a1")
    by_provider = Client()
    assert log_in(by_provider, "a1")["Location"] == SECOND
    assert not is_signed_in(by_provider)


def test_waiting_for_it_ends(signed_in: Client, owner: User, clock: Clock) -> None:
    secret, _ = set_up(signed_in, clock)
    slow = half_way()
    clock.pass_by(minutes=11)
    assert slow.post(SECOND, {"code": code_of(secret, clock)})["Location"] == LOGIN
    waiting = half_way()
    owner.set_password("another horse battery staple")
    owner.save()
    assert waiting.post(SECOND, {"code": code_of(secret, clock)})["Location"] == LOGIN
    User.objects.update(password=User.objects.create_user("x", password=PASSWORD).password)
    waiting = half_way()
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert waiting.post(SECOND, {"code": code_of(secret, clock)})["Location"] == LOGIN
    assert Client().get(SECOND)["Location"] == LOGIN


def test_who_knows_the_password_cannot_guess_codes(signed_in: Client, clock: Clock) -> None:
    secret, _ = set_up(signed_in, clock)
    guessing = half_way()
    statuses = [guessing.post(SECOND, {"code": f"{n:06}"}).status_code for n in range(6)]
    assert statuses == [200] * 5 + [429]
    elsewhere = [half_way(address=f"203.0.113.{n}").post(SECOND, {"code": "000000"}).status_code for n in range(5)]
    assert elsewhere == [200] * 5
    assert half_way(address="203.0.113.99").post(SECOND, {"code": code_of(secret, clock)}).status_code == 429
    signed_in.post("/accounts/logout/")
    signed_in.post(LOGIN, {"username": "owner", "password": PASSWORD})
    assert signed_in.post(SECOND, {"code": code_of(secret, clock)}).status_code == 302, "a known browser"


def test_nothing_is_changed_without_confirmation(signed_in: Client, owner: User, clock: Clock) -> None:
    secret, _ = set_up(signed_in, clock)
    clock.pass_by(minutes=6)
    Authenticator.objects.create(user=owner, type="webauthn", data={"name": "key", "credential": {}})
    key = Authenticator.objects.get(type="webauthn")
    before = Authenticator.objects.count()
    for address in ("app/remove/", "recovery-codes/", "passkeys/", f"passkeys/{key.pk}/", f"passkeys/{key.pk}/remove/"):
        assert signed_in.post(SECURITY + address, {"name": "x"})["Location"].startswith(CONFIRM)
    assert signed_in.post(f"{SECURITY}passkeys/options/").status_code == 403
    assert Authenticator.objects.count() == before
    assert signed_in.post(CONFIRM, {"code": code_of(secret, clock), "next": "https://evil.example/"})["Location"] == "/"
    assert signed_in.post(f"{SECURITY}passkeys/{key.pk}/", {"name": "Laptop"}).status_code == 302
    assert Authenticator.objects.get(pk=key.pk).data["name"] == "Laptop"
    User.objects.create_user("second", password=PASSWORD)
    other = browser_of("second")
    confirm(other)
    for address in (f"passkeys/{key.pk}/", f"passkeys/{key.pk}/remove/"):
        assert other.post(SECURITY + address, {"name": "x"}).status_code == 404


NONSENSE = ["", "{}", "7", "[]", "[", '{"response": 7}', '{"id": "a", "rawId": "a", "type": "x"}']


@pytest.mark.parametrize("sent", NONSENSE)
def test_nonsense_for_a_passkey_is_refused(signed_in: Client, clock: Clock, sent: str) -> None:
    stranger = Client()
    assert "publicKey" in stranger.post("/accounts/login/passkey/options/").json()
    assert stranger.post("/accounts/login/passkey/", {"credential": sent})["Location"] == LOGIN
    confirm(signed_in)
    assert "publicKey" in signed_in.post(f"{SECURITY}passkeys/options/").json()
    page = signed_in.post(f"{SECURITY}passkeys/", {"name": "key", "credential": sent})
    assert page.status_code == 200
    assert "was not taken" in page.content.decode()
    assert not Authenticator.objects.exists()


def test_codes_that_cannot_be_read_any_more_are_said_to_be_so(signed_in: Client, clock: Clock) -> None:
    set_up(signed_in, clock)
    Authenticator.objects.filter(type="totp").update(data={"secret": "sealed with another key"})
    assert "can no longer be checked" in half_way().post(SECOND, {"code": "123456"}).content.decode()
