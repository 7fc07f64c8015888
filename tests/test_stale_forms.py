"""Forms that are older than the login, and forms from another site: what is asked is never done."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sessions_app.accounts.models import Attempt
from sessions_app.models import ApiToken
from tests.thorough import thorough

PASSWORD = "correct horse battery staple"
OTHER = "another horse battery staple"
LOGIN = "/accounts/login/"
LOGOUT = "/accounts/logout/"
SIGNUP = "/accounts/signup/"
PASSWORD_CHANGE = "/accounts/password_change/"
TOKENS = "/accounts/tokens/"
SENTENCE = "This page was out of date; please try again."
NEW_PASSWORD = {"old_password": PASSWORD, "new_password1": OTHER}
CREDENTIALS = {"username": "ann", "password": PASSWORD}
NEWCOMER = {"username": "new", "password1": PASSWORD}

# Decided before a form is read.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


class Browser:
    """A browser whose tabs share cookies; forms are sent as they were loaded."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)

    def load(self, address: str) -> str:
        """The token of a page's form."""
        return token_of(self.client.get(address))

    def send(self, address: str, token: str, fields: dict[str, str] | None = None, **headers: str) -> Any:
        return self.client.post(address, {"csrfmiddlewaretoken": token, **(fields or {})}, headers=headers)

    def log_in(self) -> None:
        """By the form, or from within: each login makes a new token."""
        token = self.load("/" if self.is_logged_in else LOGIN)
        assert self.send(LOGIN, token, CREDENTIALS).status_code == 302

    @property
    def is_logged_in(self) -> bool:
        return bool(self.client.get(TOKENS).status_code == 200)


def token_of(page: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert found
    return found[1]


@pytest.fixture(autouse=True)
def ann(settings: Settings) -> User:
    settings.HERMES_SIGNUP = "open"
    return User.objects.create_superuser("ann", password=PASSWORD)


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def logged_in(browser: Browser) -> Browser:
    browser.log_in()
    return browser


@pytest.mark.parametrize("fields", [CREDENTIALS, {}])
@pytest.mark.parametrize(("next_page", "goal"), [("/?chat=5", "/?chat=5"), ("https://evil.example/", "/"), ("", "/")])
def test_a_second_login_form_leads_on(browser: Browser, fields: dict[str, str], next_page: str, goal: str) -> None:
    old = browser.load(LOGIN)
    browser.log_in()
    answer = browser.send(LOGIN, old, {**fields, "next": next_page})
    assert (answer.status_code, answer["Location"]) == (302, goal)
    assert browser.is_logged_in


def test_another_name_gets_the_login_form_again(browser: Browser) -> None:
    User.objects.create_user("bob", password=PASSWORD)
    old = browser.load(LOGIN)
    browser.log_in()
    page = browser.send(LOGIN, old, {"username": "bob", "password": PASSWORD, "next": "/?chat=5"})
    assert_form(page, 'value="bob"', 'name="next" value="/?chat=5"')
    assert browser.client.get("/").context["user"].username == "ann"
    again = browser.send(LOGIN, token_of(page), {"username": "bob", "password": PASSWORD, "next": "/?chat=5"})
    assert again["Location"] == "/?chat=5"
    assert browser.client.get("/").context["user"].username == "bob"


def test_a_login_form_older_than_a_logout_comes_again(logged_in: Browser) -> None:
    old = logged_in.load("/")
    logged_in.log_in()
    logged_in.send(LOGOUT, logged_in.load("/"))
    page = logged_in.send(LOGIN, old, CREDENTIALS)
    assert_form(page, 'value="ann"')
    assert not logged_in.is_logged_in
    assert logged_in.send(LOGIN, token_of(page), CREDENTIALS)["Location"] == "/"


def test_a_login_without_a_cookie_says_so(browser: Browser) -> None:
    old = browser.load(LOGIN)
    browser.client.cookies.clear()
    page = browser.send(LOGIN, old, CREDENTIALS)
    assert_form(page, 'value="ann"', "allow cookies for this site")
    assert browser.send(LOGIN, token_of(page), CREDENTIALS)["Location"] == "/"


@pytest.mark.parametrize("token", ["", "short", "!" * 64, "x" * 64])
def test_no_token_logs_in_but_the_right_one(browser: Browser, token: str) -> None:
    browser.load(LOGIN)
    assert_form(browser.send(LOGIN, token, CREDENTIALS), 'value="ann"')
    assert not browser.is_logged_in
    assert not Attempt.objects.exists()


def test_the_sentence_is_said_once(browser: Browser) -> None:
    assert_form(browser.send(LOGIN, "", CREDENTIALS))
    assert SENTENCE not in browser.client.get(LOGIN).content.decode()


@pytest.mark.parametrize("fields", [CREDENTIALS, {}])
def test_the_administrators_login_leads_on_as_well(browser: Browser, fields: dict[str, str]) -> None:
    old = browser.load(LOGIN)
    form = browser.send("/admin/login/?next=/admin/", old + "x", fields)
    assert_form(form, f'action="{LOGIN}"', 'name="next" value="/admin/"')
    browser.log_in()
    assert browser.send("/admin/login/?next=/admin/", old, fields)["Location"] == "/admin/"


@pytest.mark.parametrize("address", [LOGOUT, "/admin/logout/"])
def test_logging_out_twice_leads_to_the_login(logged_in: Browser, address: str) -> None:
    old = logged_in.load("/")
    logged_in.send(LOGOUT, old)
    logged_in.client.cookies.pop("csrftoken", None)
    assert logged_in.send(address, old)["Location"] == LOGIN


@pytest.mark.parametrize("address", [LOGOUT, "/admin/logout/"])
def test_an_old_logout_asks_again(logged_in: Browser, address: str) -> None:
    old = logged_in.load("/")
    logged_in.log_in()
    page = logged_in.send(address, old)
    assert_form(page, "Log out?")
    assert logged_in.is_logged_in
    logged_in.send(address, token_of(page))
    assert not logged_in.is_logged_in


def test_a_second_sign_up_form_leads_on(browser: Browser) -> None:
    old = browser.load(SIGNUP)
    assert browser.send(SIGNUP, old, NEWCOMER)["Location"] == "/"
    assert browser.send(SIGNUP, old, NEWCOMER)["Location"] == "/"
    page = browser.send(SIGNUP, old, {**NEWCOMER, "username": "second"})
    assert_form(page, 'value="second"')
    assert not User.objects.filter(username="second").exists()


def test_an_old_sign_up_form_comes_again(browser: Browser) -> None:
    page = browser.send(SIGNUP, "", NEWCOMER)
    assert_form(page, 'value="new"')
    assert PASSWORD not in page.content.decode()
    assert not User.objects.filter(username="new").exists()
    assert browser.send(SIGNUP, token_of(page), NEWCOMER)["Location"] == "/"


def test_a_sign_up_form_older_than_the_closing_says_so(browser: Browser, settings: Settings) -> None:
    settings.HERMES_SIGNUP = "closed"
    page = browser.send(SIGNUP, "", NEWCOMER)
    assert page.status_code == 403
    assert "Sign-up is closed" in page.content.decode()


FORMS = [
    (PASSWORD_CHANGE, NEW_PASSWORD),
    ("/admin/password_change/", NEW_PASSWORD),
    (TOKENS, {"name": "my script"}),
    ("/admin/auth/user/add/?_popup=0", {**NEWCOMER, "usable_password": "true"}),
]


@pytest.mark.parametrize(("address", "fields"), FORMS)
def test_other_old_forms_are_loaded_again(logged_in: Browser, ann: User, address: str, fields: dict[str, str]) -> None:
    old = logged_in.load(address)
    logged_in.log_in()
    answer = logged_in.send(address, old, fields)
    assert answer["Location"] == address
    assert SENTENCE in logged_in.client.get(address).content.decode()
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    assert not ApiToken.objects.exists()
    assert not User.objects.exclude(pk=ann.pk).exists()


def test_an_old_form_of_a_logged_out_user_leads_to_the_login(logged_in: Browser) -> None:
    old = logged_in.load(PASSWORD_CHANGE)
    logged_in.client.cookies.clear()
    page = logged_in.client.post(PASSWORD_CHANGE, {"csrfmiddlewaretoken": old, **NEW_PASSWORD}, follow=True)
    assert page.redirect_chain[-1][0] == f"{LOGIN}?next={PASSWORD_CHANGE}"
    assert SENTENCE in page.content.decode()


def test_an_old_revocation_shows_the_tokens_again(logged_in: Browser, ann: User) -> None:
    token, _ = ApiToken.issue(ann, "my script")
    old = logged_in.load(TOKENS)
    logged_in.log_in()
    page = logged_in.client.post(f"{TOKENS}{token.pk}/revoke/", {"csrfmiddlewaretoken": old}, follow=True)
    assert page.redirect_chain == [(TOKENS, 302)]
    assert SENTENCE in page.content.decode()
    assert ApiToken.objects.filter(pk=token.pk).exists()


PAGES = [LOGIN, TOKENS, SIGNUP, LOGOUT, PASSWORD_CHANGE, "/admin/login/", "/admin/logout/", "/admin/auth/user/add/"]


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        *((page, "https://evil.example") for page in PAGES[:2]),
        *(thorough(page, "https://evil.example") for page in PAGES[2:]),
        *((LOGIN, "http://testserver:1"), (LOGIN, "null")),
    ],
)
def test_another_site_is_refused(logged_in: Browser, address: str, origin: str) -> None:
    page = logged_in.send(address, logged_in.load(TOKENS), NEWCOMER, origin=origin)
    assert_refused(page)
    assert logged_in.is_logged_in
    assert User.objects.count() == 1


def test_another_site_is_refused_by_its_referer_on_https(logged_in: Browser) -> None:
    token = logged_in.load(TOKENS)
    for headers in ({}, {"referer": "https://evil.example/"}):
        fields = {"csrfmiddlewaretoken": token}
        assert_refused(logged_in.client.post(LOGOUT, fields, secure=True, headers=headers))
    assert logged_in.is_logged_in


def test_a_method_no_form_has_is_refused(logged_in: Browser) -> None:
    assert_refused(logged_in.client.put(LOGOUT))
    assert_refused(logged_in.client.delete(TOKENS))
    assert_refused(logged_in.client.post("/"))


def assert_form(page: Any, *parts: str) -> None:
    """A page of the site with the sentence and these parts."""
    assert page.status_code == 200
    text = page.content.decode()
    for part in (SENTENCE, *parts):
        assert part in text
    assert_headers(page)


def assert_refused(page: Any) -> None:
    assert page.status_code == 403
    text = page.content.decode()
    assert "This request was refused" in text
    assert "sessions_app/css/base" in text
    assert_headers(page)


def assert_headers(page: Any) -> None:
    """The headers of any page of the site."""
    usual = Client().get(LOGIN)
    for name in ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy"):
        assert page[name] == usual[name], name
