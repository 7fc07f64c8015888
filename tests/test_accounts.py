"""The people's door: log in, sign up, change the password, make and revoke tokens."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from pytest_django import Settings

from sessions_app.accounts import throttle
from sessions_app.accounts.forms import SignupForm
from sessions_app.accounts.models import Attempt
from sessions_app.models import ApiToken

PASSWORD = "correct horse battery staple"
LOGIN = "/accounts/login/"
SIGNUP = "/accounts/signup/"
TOKENS = "/accounts/tokens/"

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner", password=PASSWORD)


@pytest.fixture
def signed_in(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def open_signup(settings: Settings) -> None:
    settings.HERMES_SIGNUP = "open"


def log_in(client: Client, password: str = PASSWORD, username: str = "owner", address: str = "192.0.2.1") -> int:
    form = {"username": username, "password": password}
    return int(client.post(LOGIN, form, REMOTE_ADDR=address).status_code)


def test_logging_in_leads_to_the_chat_and_out_again(client: Client, owner: User) -> None:
    response = client.post(LOGIN, {"username": "owner", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")
    response = client.post("/accounts/logout/")
    assert (response.status_code, response["Location"]) == (302, LOGIN)
    assert client.get(TOKENS)["Location"] == f"{LOGIN}?next={TOKENS}"


def test_logging_in_leads_to_no_other_site(client: Client, owner: User) -> None:
    form = {"username": "owner", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post(LOGIN, form)["Location"] == "/"


@pytest.mark.parametrize("goal", ["?a=1&b=2", "nothing-here", "login", "#part"])
def test_an_address_is_led_to_as_it_is_and_never_taken_for_a_name(client: Client, owner: User, goal: str) -> None:
    form = {"username": "owner", "password": PASSWORD, "next": goal}
    assert client.post(LOGIN, form)["Location"] == goal
    assert client.get(LOGIN, {"next": goal})["Location"] == goal
    assert client.post("/accounts/security/confirm/", form)["Location"] == goal


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(client: Client, owner: User) -> None:
    def answer(username: str) -> str:
        page = client.post(LOGIN, {"username": username, "password": "wrong"}).content.decode()
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(username, "NAME")

    assert answer("owner") == answer("nobody")


def test_an_inactive_user_gets_the_answer_of_an_unknown_one(client: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    page = client.post(LOGIN, {"username": "owner", "password": PASSWORD}).content.decode()
    assert "The username or the password is wrong." in page


def test_five_wrong_passwords_close_the_door_for_that_name_and_address(client: Client, owner: User) -> None:
    assert [log_in(client, "wrong") for _ in range(5)] == [200] * 5
    assert log_in(client) == 429
    assert log_in(client, username="OWNER") == 429
    assert log_in(client, address="192.0.2.2") == 302


def test_an_unknown_user_is_throttled_just_the_same(client: Client) -> None:
    assert [log_in(client, username="nobody") for _ in range(6)] == [200] * 5 + [429]


def test_fifty_wrong_passwords_close_the_door_for_an_address(client: Client, owner: User) -> None:
    assert {log_in(client, username=f"user{number}") for number in range(50)} == {200}
    assert log_in(client) == 429
    assert log_in(client, address="192.0.2.2") == 302


def test_one_network_of_ipv6_is_one_address(client: Client, owner: User) -> None:
    for host in range(5):
        assert log_in(client, "wrong", address=f"2001:db8::{host}") == 200
    assert log_in(client, address="2001:db8::ffff") == 429
    assert log_in(client, address="2001:db8:0:1::1") == 302


def test_the_door_opens_again_when_the_window_has_passed(client: Client, owner: User) -> None:
    for _ in range(6):
        log_in(client, "wrong")
    for attempt in Attempt.objects.all():
        Attempt.objects.filter(pk=attempt.pk).update(at=attempt.at - throttle.WINDOW)
    assert log_in(client) == 302
    assert not Attempt.objects.exists()


def test_a_right_password_is_never_counted(client: Client, owner: User) -> None:
    assert [log_in(client) for _ in range(7)] == [302] * 7


def test_what_is_counted_holds_no_name(client: Client) -> None:
    log_in(client, username="my-password-by-mistake")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_attempt")
        assert "my-password" not in repr(cursor.fetchall())


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_attempts_made_at_the_same_time_share_one_bound() -> None:
    def attempt(_: int) -> bool:
        try:
            throttle.admit([throttle.Rule(3, ("test",))])
        except throttle.TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) <= 3


def test_the_administrators_login_is_the_same_door(client: Client) -> None:
    User.objects.create_superuser("owner", password=PASSWORD)
    response = client.get("/admin/")
    assert response["Location"] == "/admin/login/?next=/admin/"
    for method in (client.get, client.post):
        assert method(response["Location"])["Location"] == f"{LOGIN}?next=/admin/"
    assert client.post(f"{LOGIN}?next=/admin/", {"username": "owner", "password": PASSWORD})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_signing_up_logs_in(client: Client, open_signup: None) -> None:
    response = client.post(SIGNUP, {"username": "new", "password1": PASSWORD})
    assert response["Location"] == "/"
    assert client.get(TOKENS).status_code == 200
    user = User.objects.get(username="new")
    assert not user.is_staff
    assert not user.is_superuser


@pytest.mark.parametrize("weak", ["12345678", "password", "short", "newcomer1"])
def test_a_weak_password_is_refused(client: Client, open_signup: None, weak: str) -> None:
    assert client.post(SIGNUP, {"username": "newcomer", "password1": weak}).status_code == 200
    assert not User.objects.exists()


@pytest.mark.both_databases
def test_a_taken_name_is_refused_in_any_case(client: Client, open_signup: None, owner: User) -> None:
    page = client.post(SIGNUP, {"username": "OWNER", "password1": PASSWORD})
    assert "already exists" in page.content.decode()


@pytest.mark.both_databases
def test_a_name_taken_a_moment_ago_is_refused(
    client: Client, open_signup: None, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for check in ("clean_username", "validate_unique"):
        monkeypatch.setattr(SignupForm, check, lambda form: form.cleaned_data.get("username"))
    page = client.post(SIGNUP, {"username": "owner", "password1": PASSWORD})
    assert page.status_code == 200
    assert "already exists" in page.content.decode()


def test_signing_up_is_throttled_by_address(client: Client, open_signup: None) -> None:
    statuses = [client.post(SIGNUP, {"username": "taken?"}).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]


def test_sign_up_is_closed_by_default(client: Client) -> None:
    response = client.post(SIGNUP, {"username": "new", "password1": PASSWORD})
    assert response.status_code == 403
    assert not User.objects.exists()
    assert "Sign up" not in client.get(LOGIN).content.decode()


def test_a_new_password_ends_the_other_sessions(signed_in: Client, owner: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(owner)
    other = "another horse battery staple"
    form = {"old_password": PASSWORD, "new_password1": other}
    page = signed_in.post("/accounts/password_change/", form, follow=True)
    assert "Your password was changed." in page.content.decode()
    assert elsewhere.get(TOKENS).status_code == 302
    assert log_in(Client(), other) == 302


def test_the_old_password_is_asked_for(signed_in: Client, owner: User) -> None:
    form = {"old_password": "wrong", "new_password1": "x1y2z3-abc"}
    assert signed_in.post("/accounts/password_change/", form).status_code == 200
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_a_token_is_shown_once_and_stored_as_a_hash(signed_in: Client, owner: User) -> None:
    page = signed_in.post(TOKENS, {"name": "my script"})
    [clear_text] = re.findall(r'class="secret">([^<]+)<', page.content.decode())
    found = ApiToken.find(clear_text)
    assert found is not None
    assert found.owner == owner
    assert "no-store" in page["Cache-Control"]
    again = signed_in.get(TOKENS).content.decode()
    assert "my script" in again
    assert clear_text not in again
    assert clear_text not in repr(list(ApiToken.objects.values()))


def test_a_token_needs_a_name(signed_in: Client) -> None:
    assert "This field is required" in signed_in.post(TOKENS, {"name": " "}).content.decode()
    assert not ApiToken.objects.exists()


def test_a_second_token_of_one_name_is_refused(signed_in: Client, owner: User) -> None:
    first, _ = ApiToken.issue(owner, "my script")
    ApiToken.issue(User.objects.create_user("other"), "laptop")
    assert "You have a token of this name." in signed_in.post(TOKENS, {"name": " My Script "}).text
    assert "Copy the new token now." in signed_in.post(TOKENS, {"name": "laptop"}).text
    first.delete()
    assert "Copy the new token now." in signed_in.post(TOKENS, {"name": "my script"}).text


def test_a_revoked_token_is_gone(signed_in: Client, owner: User) -> None:
    token, clear_text = ApiToken.issue(owner, "my script")
    page = signed_in.post(f"{TOKENS}{token.pk}/revoke/", follow=True).content.decode()
    assert "was revoked" in page
    assert ApiToken.find(clear_text) is None


@pytest.mark.parametrize("stranger", ["outsider", "administrator"])
def test_somebody_elses_token_looks_like_none(client: Client, owner: User, stranger: str) -> None:
    token, clear_text = ApiToken.issue(owner, "my script")
    make = User.objects.create_superuser if stranger == "administrator" else User.objects.create_user
    client.force_login(make(stranger))
    assert "my script" not in client.get(TOKENS).content.decode()
    for ask in (client.post, client.get):
        foreign, missing = (ask(f"{TOKENS}{pk}/revoke/") for pk in (token.pk, token.pk + 1000))
        assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
        assert missing.status_code == 404
    assert ApiToken.find(clear_text) is not None


def test_pages_of_an_account_need_a_login(client: Client, owner: User) -> None:
    token, _ = ApiToken.issue(owner, "my script")
    for address in (TOKENS, "/accounts/password_change/"):
        assert client.get(address)["Location"] == f"{LOGIN}?next={address}"
    assert client.post(f"{TOKENS}{token.pk}/revoke/").status_code == 302
    assert ApiToken.objects.filter(pk=token.pk).exists()


def test_a_get_changes_nothing(signed_in: Client, owner: User) -> None:
    token, _ = ApiToken.issue(owner, "my script")
    assert "Revoke “my script”?" in signed_in.get(f"{TOKENS}{token.pk}/revoke/").text
    assert "Log out?" in signed_in.get("/accounts/logout/").text
    assert signed_in.get(TOKENS).status_code == 200
    assert ApiToken.objects.filter(pk=token.pk).exists()


def test_the_logout_address_leads_a_visitor_to_the_login(client: Client) -> None:
    assert client.get("/accounts/logout/")["Location"] == LOGIN


@pytest.mark.parametrize("address", [LOGIN, SIGNUP, "/accounts/login/?next=/admin/"])
def test_who_is_logged_in_is_led_on_from_the_forms(client: Client, open_signup: None, address: str) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    assert client.get(address)["Location"] == ("/admin/" if "admin" in address else "/")


def test_who_is_no_staff_is_not_led_round_in_circles(signed_in: Client) -> None:
    answer = signed_in.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "You may not open this page" in answer.text


def test_labels_have_no_colons_and_rules_come_when_broken(client: Client, open_signup: None) -> None:
    empty = client.get(SIGNUP).text
    assert re.findall(r"<label[^>]*>([^<]+)</label>", empty) == ["Username", "Password"]
    assert "characters" not in empty
    assert "at least 8 characters" in client.post(SIGNUP, {"username": "new", "password1": "short"}).text


def test_create_token_prints_the_token_and_nothing_else(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "owner")
    [line] = capsys.readouterr().out.splitlines()
    found = ApiToken.find(line)
    assert found is not None
    assert found.owner == owner


def test_create_token_names_a_user_it_cannot_find() -> None:
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("create_token", "nobody")


def test_setup_makes_one_administrator_and_says_the_password_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("setup")
    told = re.fullmatch(
        r"First administrator: admin, password (\S+) \(shown only this once\)\n", capsys.readouterr().out
    )
    assert told
    administrator = User.objects.get(is_superuser=True)
    assert administrator.check_password(told[1])
    call_command("setup")
    assert capsys.readouterr().out == ""
    assert User.objects.get() == administrator


def test_setup_never_takes_over_a_name(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("admin", password=PASSWORD)
    call_command("setup")
    assert capsys.readouterr().out == ""
    assert not User.objects.filter(is_superuser=True).exists()
