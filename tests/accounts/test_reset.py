"""A forgotten password: the mail, its link, and what nobody learns from either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client, RequestFactory
from pytest_django import Settings

from hermes_site.environment import Environment
from hermes_site.logs import QuietFormatter
from sessions_app.accounts import reset_forms
from sessions_app.accounts.models import Login
from sessions_app.accounts.reset_forms import EmailForm, ResetPasswordForm
from sessions_app.models import ApiToken
from tests.accounts.conftest import LOGIN, PASSWORD
from tests.mail import MailServer, mail_server
from tests.processes import PATIENCE

RESET = "/accounts/password_reset/"
SENT = f"{RESET}sent/"
EMAIL = "/accounts/email/"
SIGNUP = "/accounts/signup/"
NEW = "another horse battery staple"

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def server(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that the site was told of."""
    with mail_server() as running:
        monkeypatch.setenv("EMAIL_URL", running.url)
        environment = Environment(tmp_path)
        for name, value in environment.mail("EMAIL_URL").items():
            setattr(settings, name, value)
        settings.HERMES_SENDS_MAIL = True
        assert environment.problems == []
        yield running


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", "anna@example.org", PASSWORD)


def ask(client: Client, email: str, address: str = "192.0.2.1") -> Any:
    return client.post(RESET, {"email": email}, REMOTE_ADDR=address)


def link_for(client: Client, server: MailServer, user: User) -> str:
    """The path of the link in the mail that the user gets."""
    assert ask(client, user.email)["Location"] == SENT
    return link_in(server)


def link_in(server: MailServer) -> str:
    """The path of the link in the next mail."""
    found = re.search(r"http://testserver(/\S+)", server.next().get_content())
    assert found
    return found[1]


def confirm_address(client: Client, server: MailServer) -> str:
    """Follow the link in the mail to a new address, and agree; return it."""
    link = link_in(server)
    assert "Is this your address?" in client.get(link).text
    assert client.post(link).status_code == 302
    return link


def set_password(client: Client, link: str, password: str) -> Any:
    """Follow the link, and send the form that it leads to."""
    page = client.get(link, follow=True)
    assert "Set a new password" in page.text
    return client.post(page.redirect_chain[-1][0], {"new_password1": password}, follow=True)


def test_the_mail_has_a_link_that_sets_a_password_once(client: Client, server: MailServer, anna: User) -> None:
    link = link_for(client, server, anna)
    answer = set_password(client, link, NEW)
    assert answer.redirect_chain == [(LOGIN, 302)]
    assert "Your password was changed." in answer.text
    anna.refresh_from_db()
    assert anna.check_password(NEW)
    assert "This link does not work" in Client().get(link, follow=True).text


def test_the_mail_says_for_whom_and_from_whom(client: Client, server: MailServer, anna: User) -> None:
    ask(client, "ANNA@example.org")
    mail = server.next()
    assert (mail["To"], mail["From"]) == ("anna@example.org", "chat@example.org")
    assert mail["Subject"] == "A new password for testserver"
    assert "Hello anna," in mail.get_content()


def test_an_unknown_address_gets_the_same_answer_and_no_mail(client: Client, server: MailServer, anna: User) -> None:
    User.objects.create_user("bob", "bob@example.org", PASSWORD, is_active=False)
    User.objects.create_user("eve", "eve@example.org", None)
    answers = [ask(client, email) for email in ("nobody@example.org", "bob@example.org", "eve@example.org", anna.email)]
    assert {(answer.status_code, answer["Location"], answer.content) for answer in answers} == {(302, SENT, b"")}
    assert server.next()["To"] == "anna@example.org"  # one thread sends all, in their order
    assert server.received.empty()


def test_mails_that_find_no_room_are_logged_and_the_room_comes_back(
    client: Client, server: MailServer, anna: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = BoundedSemaphore(1)
    monkeypatch.setattr(reset_forms, "_room", full)
    full.acquire()
    for email in ("nobody@example.org", anna.email):
        assert ask(client, email)["Location"] == SENT
    assert [record.getMessage() for record in caplog.records if record.name == reset_forms.__name__] == [
        "A mail was not sent: 1,000 requests wait for the mail server."
    ]
    full.release()
    ask(client, anna.email)
    assert server.next()["To"] == anna.email
    assert full.acquire(timeout=PATIENCE)
    assert server.received.empty()


def test_a_reset_ends_logins_and_tokens(client: Client, server: MailServer, anna: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(anna)
    _, token = ApiToken.issue(anna, "script")
    set_password(client, link_for(client, server, anna), NEW)
    assert elsewhere.get("/accounts/tokens/").status_code == 302
    assert ApiToken.find(token) is None
    assert not Login.objects.filter(owner=anna).exists()


def test_a_password_or_address_changed_meanwhile_makes_the_link_useless(
    client: Client, server: MailServer, anna: User
) -> None:
    for change in ({"password": "x"}, {"email": "anna@example.com"}):
        link = link_for(client, server, anna)
        User.objects.filter(pk=anna.pk).update(**change)
        assert "This link does not work" in client.get(link, follow=True).text
        anna.set_password(PASSWORD)
        anna.save()


def test_a_link_ends_after_a_day(
    client: Client, server: MailServer, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_for(client, server, anna)
    now = PasswordResetTokenGenerator._now
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: now(self) + timedelta(hours=25))
    assert "This link does not work" in client.get(link, follow=True).text


def test_a_weak_password_is_refused_with_its_rule(client: Client, server: MailServer, anna: User) -> None:
    page = set_password(client, link_for(client, server, anna), "short")
    assert "at least 8 characters" in page.text
    anna.refresh_from_db()
    assert anna.check_password(PASSWORD)


def test_a_fourth_mail_to_an_address_has_to_wait(client: Client, server: MailServer, anna: User) -> None:
    for email in (anna.email, "nobody@example.org"):
        statuses = [ask(client, email, f"192.0.2.{number}").status_code for number in range(4)]
        assert statuses == [302, 302, 302, 429]


@pytest.mark.both_databases
def test_of_many_accounts_with_one_address_the_oldest_get_a_mail(
    client: Client, server: MailServer, anna: User
) -> None:
    for number in range(5):
        User.objects.create_user(f"later{number}", anna.email, PASSWORD)
    User.objects.create_user("bert", "bert@example.org", PASSWORD)
    for email in (anna.email, "bert@example.org"):
        assert ask(client, email).status_code == 302
    names = [server.next().get_content() for _ in range(4)]
    assert [name in mail for name, mail in zip(["anna", "later0", "later1", "bert"], names, strict=True)] == [True] * 4


def test_twenty_requests_from_a_place_are_enough(client: Client, server: MailServer) -> None:
    statuses = [ask(client, f"user{number}@example.org").status_code for number in range(21)]
    assert statuses == [302] * 20 + [429]


def test_bad_links_are_counted_and_good_ones_are_not(client: Client, server: MailServer, anna: User) -> None:
    good = link_for(client, server, anna)
    for _ in range(51):
        assert client.get(good).status_code == 302
    statuses = [client.get(f"{RESET}MQ/x-{number}/").status_code for number in range(51)]
    assert statuses == [200] * 50 + [429]
    assert client.get(good).status_code == 429


def test_no_link_that_still_works_is_in_the_log(
    client: Client, server: MailServer, anna: User, caplog: pytest.LogCaptureFixture
) -> None:
    good = link_for(client, server, anna)
    for _ in range(50):
        client.get(f"{RESET}MQ/x-1/")
    assert client.get(good).status_code == 429
    logged = [QuietFormatter().format(record) for record in caplog.records if "Too Many" in record.getMessage()]
    assert len(logged) == 1
    assert good.split("/")[-2] not in logged[0]
    assert RESET in logged[0]


def test_a_server_that_refuses_changes_no_answer(
    client: Client, server: MailServer, anna: User, caplog: pytest.LogCaptureFixture
) -> None:
    server.refused = anna.email
    assert ask(client, anna.email)["Location"] == SENT
    bob = User.objects.create_user("bob", "bob@example.org", PASSWORD)
    ask(client, bob.email)
    assert server.next()["To"] == bob.email  # the mail before it has had its turn
    assert f"Failed to send password reset email to {anna.pk}" in caplog.text


def test_without_a_mail_server_there_are_no_such_pages(client: Client, anna: User) -> None:
    assert "Forgot" not in client.get(LOGIN).text
    client.force_login(anna)
    for address in (RESET, SENT, f"{RESET}MQ/x-1/", EMAIL):
        assert client.get(address).status_code == client.post(address).status_code == 404
    assert "E-mail" not in client.get("/accounts/tokens/").text


def test_an_address_can_be_given_at_sign_up(client: Client, server: MailServer, settings: Settings) -> None:
    settings.HERMES_SIGNUP = "open"
    assert "Forgot your password?" in client.get(LOGIN).text
    for name, email in (("with", "with@example.org"), ("without", "")):
        form = {"username": name, "password1": PASSWORD, "email": email}
        assert Client().post(SIGNUP, form)["Location"] == "/"
        assert User.objects.get(username=name).email == ""
    confirm_address(Client(), server)
    assert User.objects.get(username="with").email == "with@example.org"


def test_the_address_changes_with_the_password_only(client: Client, server: MailServer, anna: User) -> None:
    client.force_login(anna)
    wrong = client.post(EMAIL, {"email": "new@example.org", "current_password": "wrong"})
    assert "The password is wrong" in wrong.text
    anna.refresh_from_db()
    assert anna.email == "anna@example.org"
    client.post(EMAIL, {"email": "new@example.org", "current_password": PASSWORD})
    anna.refresh_from_db()
    assert anna.email == "anna@example.org", "not before its mailbox was seen"
    link = confirm_address(client, server)
    anna.refresh_from_db()
    assert anna.email == "new@example.org"
    client.post(EMAIL, {"email": "anna@example.org", "current_password": PASSWORD})
    later = link_in(server)
    client.post(EMAIL, {"email": "", "current_password": PASSWORD})
    for void in (link, later, f"{later[:-3]}xx/", f"{EMAIL}confirm/x/"):
        assert "This link does not work" in client.post(void).text
    anna.refresh_from_db()
    assert anna.email == ""
    assert client.get(EMAIL).status_code == 200
    for _ in range(4):
        client.post(EMAIL, {"email": "", "current_password": "wrong"})
    assert client.post(EMAIL, {"email": "", "current_password": "wrong"}).status_code == 429


def test_an_account_closed_meanwhile_stays_closed(client: Client, anna: User) -> None:
    request = RequestFactory().post(EMAIL)
    request.user, request.session = anna, client.session
    mine = {"email": "", "current_password": PASSWORD}
    forms = (
        EmailForm(mine, instance=User.objects.get(pk=anna.pk), request=request),
        ResetPasswordForm(User.objects.get(pk=anna.pk), {"new_password1": NEW}),
    )
    assert all(form.is_valid() for form in forms)
    User.objects.update(is_active=False)
    forms[0].remove()
    forms[1].save()
    anna.refresh_from_db()
    assert (anna.is_active, anna.email, anna.check_password(NEW)) == (False, "", True)
