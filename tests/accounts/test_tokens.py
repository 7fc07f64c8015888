"""API tokens end: on their day, with a new password, and there are not more than twenty of a user."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.utils import timezone

from sessions_app.models import AgentProfile, ApiToken, TooManyTokens
from sessions_app.models.tokens import TOKENS_PER_USER
from tests.accounts.conftest import LOGIN, PASSWORD, TOKENS, Clock, change_password

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def days_of(token: ApiToken) -> int:
    assert token.expires_at is not None
    return round((token.expires_at - timezone.now()) / timedelta(days=1))


@pytest.mark.parametrize(("chosen", "days"), [({}, 90), ({"days": "7"}, 7), ({"days": "365"}, 365)])
def test_the_end_is_chosen_when_a_token_is_made(signed_in: Client, chosen: dict[str, str], days: int) -> None:
    page = signed_in.post(TOKENS, {"name": "script", **chosen}).content.decode()
    token = ApiToken.objects.get()
    assert days_of(token) == days
    assert token.expires_at is not None
    assert f"{token.expires_at:%Y-%m-%d}" in page


@pytest.mark.parametrize("days", ["100000", "-1", "0", "x"])
def test_no_other_end_can_be_chosen(signed_in: Client, days: str) -> None:
    assert "Select a valid choice" in signed_in.post(TOKENS, {"name": "script", "days": days}).content.decode()
    assert not ApiToken.objects.exists()


def test_the_form_offers_a_quarter_first(signed_in: Client) -> None:
    assert '<option value="90" selected>90 days</option>' in signed_in.get(TOKENS).content.decode()


def test_an_expired_token_lets_in_no_more(owner: User, signed_in: Client, clock: Clock) -> None:
    _, clear_text = ApiToken.issue(owner, "script", timedelta(days=7))
    clock.pass_by(days=7, seconds=-1)
    assert ApiToken.find(clear_text) is not None
    clock.pass_by(seconds=1)
    assert ApiToken.find(clear_text) is None
    assert '<span class="tag">ended</span>' in signed_in.get(TOKENS).content.decode()


def test_a_token_from_before_has_no_end(owner: User, signed_in: Client, clock: Clock) -> None:
    token, clear_text = ApiToken.issue(owner)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=None)
    assert "has no end" in signed_in.get(TOKENS).content.decode()
    clock.pass_by(days=4000)
    assert ApiToken.find(clear_text) is not None


def test_a_new_password_ends_the_tokens(signed_in: Client, owner: User) -> None:
    _, clear_text = ApiToken.issue(owner)
    ApiToken.issue(User.objects.create_user("other"))
    assert change_password(signed_in) == 302
    assert ApiToken.find(clear_text) is None
    assert ApiToken.objects.count() == 1


def test_tokens_are_kept_on_purpose(signed_in: Client, owner: User) -> None:
    _, clear_text = ApiToken.issue(owner)
    assert "Keep my API tokens" in signed_in.get("/accounts/password_change/").content.decode()
    assert change_password(signed_in, keep_tokens="on") == 302
    assert ApiToken.find(clear_text) is not None
    assert (
        change_password(signed_in, "a third horse battery staple", old_password="another horse battery staple") == 302
    )
    assert ApiToken.find(clear_text) is None


def test_a_refused_new_password_ends_nothing(signed_in: Client, owner: User) -> None:
    _, clear_text = ApiToken.issue(owner)
    assert change_password(signed_in, "short") == 200
    assert change_password(signed_in, old_password="wrong") == 200
    assert ApiToken.find(clear_text) is not None


def test_an_administrators_new_password_for_a_user_ends_their_tokens(owner: User, client: Client) -> None:
    _, clear_text = ApiToken.issue(owner)
    client.force_login(User.objects.create_superuser("boss"))
    form = {"password1": "x1y2z3-abc", "password2": "x1y2z3-abc", "usable_password": "true"}
    assert client.post(f"/admin/auth/user/{owner.pk}/password/", form).status_code == 302
    assert ApiToken.find(clear_text) is None


def test_a_new_password_from_the_shell_ends_them_too(owner: User) -> None:
    _, clear_text = ApiToken.issue(owner)
    owner.set_password("x1y2z3-abc")
    owner.save()
    assert ApiToken.find(clear_text) is None


def test_a_stronger_hash_of_the_same_password_ends_nothing(
    owner: User, client: Client, settings: pytest.FixtureRequest
) -> None:
    _, clear_text = ApiToken.issue(owner)
    before = owner.password
    hasher = "django.contrib.auth.hashers.{}PasswordHasher"
    settings.PASSWORD_HASHERS = [hasher.format("Scrypt"), hasher.format("MD5")]  # type: ignore[attr-defined]
    assert client.post(LOGIN, {"username": "owner", "password": PASSWORD}).status_code == 302
    owner.refresh_from_db()
    assert owner.password != before
    assert ApiToken.find(clear_text) is not None


@pytest.mark.both_databases
def test_a_user_has_at_most_twenty_tokens(signed_in: Client, owner: User, clock: Clock) -> None:
    ApiToken.issue(owner, "short", timedelta(days=1))
    for _ in range(TOKENS_PER_USER - 1):
        ApiToken.issue(owner)
    page = signed_in.post(TOKENS, {"name": "one more"}).content.decode()
    assert "A user has at most 20 API tokens. Revoke one that is not needed." in page
    with pytest.raises(CommandError, match="at most 20 API tokens"):
        call_command("create_token", "owner", stdout=StringIO())
    ApiToken.issue(User.objects.create_user("other"))
    clock.pass_by(days=1)  # the short one makes room
    ApiToken.issue(owner)
    assert ApiToken.objects.filter(owner=owner).count() == TOKENS_PER_USER
    ApiToken.objects.filter(owner=owner)[0].delete()
    assert 'class="secret"' in signed_in.post(TOKENS, {"name": "one more"}).content.decode()


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_tokens_made_at_the_same_time_share_one_bound(owner: User) -> None:
    for _ in range(TOKENS_PER_USER - 2):
        ApiToken.issue(owner)

    def issue(_: int) -> bool:
        try:
            ApiToken.issue(owner)
        except TooManyTokens:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(issue, range(6))) == 2


def test_create_token_takes_the_days(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "owner")
    call_command("create_token", "owner", "--days", "400")
    found = [ApiToken.find(line) for line in capsys.readouterr().out.splitlines()]
    assert [days_of(token) for token in found if token] == [90, 400]
    for days in ("0", "4000"):
        with pytest.raises(CommandError, match="--days"):
            call_command("create_token", "owner", "--days", days)


def test_admin_shows_when_a_token_ends(owner: User, client: Client) -> None:
    token, _ = ApiToken.issue(owner)
    client.force_login(User.objects.create_superuser("boss"))
    for address in ("/admin/sessions_app/apitoken/", f"/admin/sessions_app/apitoken/{token.pk}/change/"):
        assert "Expires at" in client.get(address).content.decode()
    client.post(f"/admin/sessions_app/apitoken/{token.pk}/change/", {"expires_at": "2999-01-01"})
    assert days_of(ApiToken.objects.get()) == 90


def test_a_token_is_limited_when_it_is_made(signed_in: Client, owner: User) -> None:
    profile = AgentProfile.objects.create(name="Narrow")
    page = signed_in.post(TOKENS, {"name": "script", "reads_only": "on", "profile": profile.pk}).content.decode()
    token = ApiToken.objects.get()
    assert (token.reads_only, token.profile) == (True, profile)
    assert '<span class="tag">reads only</span> <span class="tag">only Narrow</span>' in page


def test_a_token_is_not_limited_unless_it_is_said(signed_in: Client, owner: User) -> None:
    page = signed_in.post(TOKENS, {"name": "script"}).content.decode()
    token = ApiToken.objects.get()
    assert (token.reads_only, token.profile) == (False, None)
    assert 'class="tag"' not in page


def test_only_profiles_that_the_user_may_choose_are_offered(signed_in: Client, owner: User) -> None:
    theirs = AgentProfile.objects.create(name="Theirs")
    theirs.groups.add(Group.objects.create(name="others"))
    assert "Theirs" not in signed_in.get(TOKENS).content.decode()
    page = signed_in.post(TOKENS, {"name": "script", "profile": theirs.pk}).content.decode()
    assert "Select a valid choice" in page
    with pytest.raises(CommandError, match="no profile 'Theirs' that the user may choose"):
        call_command("create_token", "owner", "--profile", "Theirs")
    assert not ApiToken.objects.exists()


def test_create_token_takes_the_limits(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    profile = AgentProfile.objects.create(name="Narrow")
    call_command("create_token", "owner", "--read-only", "--profile", "Narrow")
    [line] = capsys.readouterr().out.splitlines()
    found = ApiToken.find(line)
    assert found is not None
    assert (found.reads_only, found.profile) == (True, profile)


def test_admin_shows_the_limits_and_changes_none(owner: User, client: Client) -> None:
    token, _ = ApiToken.issue(owner, reads_only=True, profile=AgentProfile.objects.create(name="Narrow"))
    client.force_login(User.objects.create_superuser("boss"))
    for address in ("/admin/sessions_app/apitoken/", f"/admin/sessions_app/apitoken/{token.pk}/change/"):
        page = client.get(address).content.decode()
        assert "Only reads" in page
        assert "Narrow" in page
    client.post(f"/admin/sessions_app/apitoken/{token.pk}/change/", {"reads_only": "", "profile": ""})
    token.refresh_from_db()
    assert token.reads_only
    assert token.profile is not None
