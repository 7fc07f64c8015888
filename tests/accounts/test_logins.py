"""Where a user is logged in: seen and ended by that user, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from sessions_app.accounts import logins
from sessions_app.accounts.models import Login
from sessions_app.models import ApiToken
from tests.accounts.conftest import (
    FIREFOX,
    LOGIN,
    LOGINS,
    PASSWORD,
    TOKENS,
    Clock,
    browser_of,
    change_password,
    is_signed_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1"


@pytest.fixture
def phone(owner: User) -> Client:
    return browser_of("owner", PHONE, "2001:db8::17")


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def login_of(client: Client) -> Login:
    return Login.objects.get(session_key=key_of(client))


def end(client: Client, pk: int) -> Any:
    return client.post(f"{LOGINS}{pk}/end/")


def seen(client: Client) -> list[tuple[str, bool]]:
    """The browsers on the page, and whether each is this one."""
    return [(row["browser"], row["here"]) for row in client.get(LOGINS).context["logins"]]


def test_the_page_says_where_one_is_signed_in(signed_in: Client, phone: Client) -> None:
    User.objects.create_user("other", password=PASSWORD)
    browser_of("other", address="203.0.113.99")
    assert seen(signed_in) == [("Firefox on Windows", True), ("Mobile Safari on iPhone", False)]
    assert seen(phone) == [("Mobile Safari on iPhone", True), ("Firefox on Windows", False)]
    page = signed_in.get(LOGINS).content.decode()
    assert "192.0.2.7" in page
    assert "2001:db8::17" in page
    assert "203.0.113.99" not in page
    assert f"{login_of(phone).created_at:%Y-%m-%d %H:%M}" in page


def test_no_page_shows_a_session_key(signed_in: Client, phone: Client, client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    pages = [
        signed_in.get(LOGINS),
        client.get("/admin/"),
        client.get(f"/admin/auth/user/{login_of(phone).owner_id}/change/"),
    ]
    for page in pages:
        for browser in (signed_in, phone):
            assert key_of(browser) not in page.content.decode()
    for model in ("login", "nameshape", "wait", "attempt"):
        assert client.get(f"/admin/accounts/{model}/").status_code == 404


def test_what_a_browser_calls_itself_is_not_believed_to_be_markup(owner: User) -> None:
    rude = browser_of("owner", "<b>x</b>" * 100, "not an address")
    assert seen(rude) == [("Unknown browser", True)]
    assert login_of(rude).address is None
    assert len(login_of(rude).user_agent) == 300


def test_last_used_follows_the_browser_by_the_minute(signed_in: Client, clock: Clock) -> None:
    began = login_of(signed_in).last_used_at
    clock.pass_by(seconds=59)
    is_signed_in(signed_in)
    assert login_of(signed_in).last_used_at == began
    clock.pass_by(seconds=2)
    is_signed_in(signed_in)
    assert login_of(signed_in).last_used_at == clock.now
    signed_in.get(TOKENS, REMOTE_ADDR="203.0.113.5")
    assert login_of(signed_in).address == "203.0.113.5"
    assert login_of(signed_in).created_at.date() == began.date()


def test_a_login_is_ended_by_its_user(signed_in: Client, phone: Client) -> None:
    assert "That login was ended." in signed_in.post(f"{LOGINS}{login_of(phone).pk}/end/", follow=True).content.decode()
    assert not is_signed_in(phone)
    assert is_signed_in(signed_in)
    assert not Session.objects.filter(pk=key_of(phone)).exists()


def test_ending_this_login_logs_out(signed_in: Client, phone: Client) -> None:
    key = key_of(signed_in)
    assert end(signed_in, login_of(signed_in).pk)["Location"] == LOGIN
    assert not Session.objects.filter(pk=key).exists()
    assert not is_signed_in(signed_in)
    assert is_signed_in(phone)


@pytest.mark.parametrize("make", ["create_user", "create_superuser"])
def test_somebody_elses_login_looks_like_none(signed_in: Client, make: str) -> None:
    getattr(User.objects, make)("other", password=PASSWORD)
    other = browser_of("other")
    pk = login_of(signed_in).pk
    foreign, missing = end(other, pk), end(other, pk + 1000)
    assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
    assert foreign.status_code == 404
    other.post(f"{LOGINS}end/", {"this_too": "on"})
    assert is_signed_in(signed_in)


def test_signing_out_everywhere_spares_this_browser(signed_in: Client, phone: Client) -> None:
    forced = Client()
    forced.force_login(User.objects.get())
    page = signed_in.post(f"{LOGINS}end/", follow=True).content.decode()
    assert "You are logged out everywhere else." in page
    assert [is_signed_in(client) for client in (signed_in, phone, forced)] == [True, False, False]


def test_signing_out_everywhere_can_include_this_browser(signed_in: Client, phone: Client) -> None:
    assert signed_in.post(f"{LOGINS}end/", {"this_too": "on"})["Location"] == LOGIN
    assert [is_signed_in(client) for client in (signed_in, phone)] == [False, False]
    assert not Session.objects.exists()


def test_a_get_ends_nothing_and_a_stranger_sees_nothing(signed_in: Client, client: Client) -> None:
    pk = login_of(signed_in).pk
    for address in (f"{LOGINS}{pk}/end/", f"{LOGINS}end/"):
        assert signed_in.get(address)["Location"] == LOGINS
        assert client.post(address).status_code == 302
    assert client.get(LOGINS)["Location"] == f"{LOGIN}?next={LOGINS}"
    assert is_signed_in(signed_in)


def test_ending_logins_needs_the_csrf_token(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    for address in (f"{LOGINS}{login_of(strict).pk}/end/", f"{LOGINS}end/"):
        answer = strict.post(address, {"this_too": "on"}, follow=True)
        assert answer.redirect_chain == [(LOGINS, 302)]
        assert "This page was out of date" in answer.content.decode()
    assert is_signed_in(strict)


def test_a_new_password_ends_the_other_logins_for_good(signed_in: Client, phone: Client) -> None:
    key = key_of(phone)
    assert change_password(signed_in) == 302
    assert not Session.objects.filter(pk=key).exists()
    assert seen(signed_in) == [("Firefox on Windows", True)]


def test_a_login_whose_password_is_old_is_not_listed(signed_in: Client, phone: Client) -> None:
    owner = User.objects.get()
    owner.set_password("x1y2z3-abc")
    User.objects.update(password=owner.password)  # as another program's SQL does
    new = Client()
    new.force_login(User.objects.get())
    assert seen(new) == [("Unknown browser", True)]


def test_another_user_in_the_same_browser_gets_a_login_of_their_own(signed_in: Client, owner: User) -> None:
    User.objects.create_user("other", password=PASSWORD)
    signed_in.post(LOGIN, {"username": "other", "password": PASSWORD})
    assert login_of(signed_in).owner.username == "other"
    assert logins.valid(owner) == []


def test_a_login_is_gone_after_logging_out(signed_in: Client, owner: User) -> None:
    signed_in.post("/accounts/logout/")
    assert logins.valid(owner) == []


@pytest.mark.both_databases
def test_expired_sessions_are_removed_in_steps_when_somebody_logs_in(signed_in: Client, clock: Clock) -> None:
    data = Session.objects.get().session_data
    Session.objects.bulk_create(
        Session(session_key=f"key{number}", session_data=data, expire_date=clock.now) for number in range(150)
    )
    Login.objects.bulk_create(
        Login(session_key=f"gone{number}", owner_id=User.objects.get().pk) for number in range(50)
    )
    browser_of("owner")
    assert Session.objects.filter(expire_date__lte=clock.now).count() == 50
    browser_of("owner")
    assert not Session.objects.filter(expire_date__lte=clock.now).exists()
    assert not Login.objects.filter(session_key__startswith="gone").exists()
    assert is_signed_in(signed_in)


def test_clearsessions_leaves_no_login_on_the_page(signed_in: Client, phone: Client, clock: Clock) -> None:
    Session.objects.filter(pk=key_of(phone)).update(expire_date=clock.now)
    assert len(seen(signed_in)) == 1
    call_command("clearsessions")
    assert len(seen(signed_in)) == 1


@pytest.mark.both_databases
def test_a_user_has_at_most_so_many_logins(
    signed_in: Client, owner: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "LOGINS_PER_USER", 5)
    for _ in range(logins.LOGINS_PER_USER):
        clock.pass_by(seconds=1)
        Client().force_login(owner)
    assert Login.objects.count() == logins.LOGINS_PER_USER
    assert not is_signed_in(signed_in)


def test_logins_from_before_are_listed_and_ended_as_well(transactional_db: None) -> None:
    owner = User.objects.create_user("owner", password=PASSWORD)
    older = browser_of("owner", FIREFOX)
    began = login_of(older).created_at
    Login.objects.all().delete()
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", "0002_names_logins_waits")])
    call_command("migrate", verbosity=0)
    [login] = logins.valid(owner)
    assert login.session_key == key_of(older)
    assert abs((login.created_at - began).total_seconds()) < 1
    new = browser_of("owner")
    new.post(f"{LOGINS}end/")
    assert not is_signed_in(older)


@pytest.mark.both_databases
@pytest.mark.parametrize("way", ["save", "update", "SQL"])
def test_who_is_deactivated_loses_all_of_it_at_once_and_for_good(signed_in: Client, owner: User, way: str) -> None:
    _, clear_text = ApiToken.issue(owner)
    ApiToken.issue(User.objects.create_user("other"))
    owner.is_active = False
    if way == "save":
        owner.save()
    elif way == "update":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    else:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE auth_user SET is_active = false WHERE username = 'owner'")
    assert not is_signed_in(signed_in)
    assert ApiToken.find(clear_text) is None
    # Should they come back one day, nothing of a thief's comes back with them.
    User.objects.update(is_active=True)
    assert not is_signed_in(signed_in)
    assert ApiToken.find(clear_text) is None
    assert ApiToken.objects.count() == 1
    assert not Session.objects.exists()
