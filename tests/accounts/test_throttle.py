"""Who guesses passwords is stopped on every page, and cannot keep anybody else out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from sessions_app.accounts import throttle
from sessions_app.session_store import chats
from tests.accounts.conftest import LOGIN, NEW_PASSWORD, PASSWORD, TOKENS, Clock, browser_of, change_password

# Hundreds of attempts, counted by the same statements as those of other modules.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("unnoted_templates")]
ADMINS_PAGE, CONFIRM = "/admin/password_change/", "/accounts/security/confirm/"
DELETE_CHATS, DELETE_ACCOUNT = "/accounts/delete/chats/", "/accounts/delete/account/"


def guess(client: Client, address: str, password: str = "", name: str = "owner") -> int:
    form = {"username": name, "password": password or "wrong"}
    return int(client.post(LOGIN, form, REMOTE_ADDR=address).status_code)


def guess_from_everywhere(count: int, name: str = "owner") -> list[int]:
    """A guess from each of so many addresses."""
    return [guess(Client(), f"198.51.{number // 250}.{number % 250}", name=name) for number in range(count)]


def guess_old(client: Client, page: str = NEW_PASSWORD, **request: Any) -> int:
    form = {"old_password": "wrong", "new_password1": "x1y2z3-abc"}
    return int(client.post(page, form, **request).status_code)


def test_of_25_wrong_old_passwords_five_are_judged(signed_in: Client, owner: User) -> None:
    assert [guess_old(signed_in) for _ in range(25)] == [200] * 5 + [429] * 20
    assert change_password(signed_in) == 429
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_old_passwords_are_counted_over_addresses_and_logins(owner: User) -> None:
    thieves = [browser_of("owner", address=f"198.51.100.{number}") for number in range(5)]
    statuses = [guess_old(thief, REMOTE_ADDR=f"203.0.113.{number}") for number, thief in enumerate(thieves * 5)]
    assert statuses == [200] * 10 + [429] * 15


@pytest.mark.thorough
def test_old_passwords_are_counted_by_address(owner: User) -> None:
    for number in range(6):
        User.objects.create_user(f"user{number}", password=PASSWORD)
    browsers = [browser_of(f"user{number}") for number in range(6)]
    assert [guess_old(browser) for browser in browsers * 10].count(200) <= 50


def test_a_right_old_password_is_not_counted(signed_in: Client) -> None:
    for _ in range(8):
        assert change_password(signed_in, "short") == 200
    assert change_password(signed_in) == 302


def test_a_new_password_is_possible_while_others_guess_at_the_login(signed_in: Client) -> None:
    guess_from_everywhere(12)
    assert change_password(signed_in) == 302


def addresses(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Every address of the site that needs no argument."""
    for pattern in patterns:
        route = before + re.sub(r"\^|\$|\\Z", "", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif not re.search(r"[<(]", route) and route != "/metrics":  # that one answers under ASGI only
            yield route


def judging_pages(client: Client) -> dict[str, str]:
    """The pages that this browser is shown and that ask for a password of today or a code, by where they are."""
    pages: dict[str, str] = {}
    waiting, known = [*addresses(get_resolver().url_patterns)], {""}
    while waiting:
        if (path := urlsplit(waiting.pop()).path) in known or path.startswith("/static/"):
            continue
        known.add(path)
        answer = client.get(path)
        waiting.append(answer.headers.get("Location", ""))
        if not answer.streaming:
            pages[path] = answer.content.decode()
    return {
        path: page for path, page in pages.items() if re.search('autocomplete="(current-password|one-time-code)"', page)
    }


@pytest.mark.thorough
def test_every_page_that_judges_a_password_is_throttled(owner: User) -> None:
    User.objects.update(is_superuser=True, is_staff=True)
    chats.create(owner.pk, "a chat, that all may be deleted")
    asked = set()
    for client in (Client(), browser_of("owner")):
        for path, page in judging_pages(client).items():
            form = dict.fromkeys(re.findall(r'<input[^>]*name="(\w+)"', page), "wrong")
            assert 429 in {client.post(path, form).status_code for _ in range(throttle.FREE_FAILURES + 1)}, path
            asked.add(path)
    assert asked == {LOGIN, NEW_PASSWORD, ADMINS_PAGE, CONFIRM, DELETE_CHATS, DELETE_ACCOUNT}


def test_the_administrators_password_page_shares_the_bound(client: Client) -> None:
    client.force_login(User.objects.create_superuser("owner", password=PASSWORD))
    for number in range(5):
        assert guess_old(client, ADMINS_PAGE if number % 2 else NEW_PASSWORD) == 200
    assert guess_old(client, ADMINS_PAGE) == 429
    assert guess_old(client) == 429


def test_a_name_that_is_guessed_at_waits_longer_each_time(owner: User, clock: Clock) -> None:
    assert guess_from_everywhere(12) == [200] * 10 + [429] * 2
    for number, wait in enumerate([1, 2, 4, 8, 16, 32, 60, 60, 60, 60]):
        clock.pass_by(seconds=wait - 1)
        assert guess(Client(), f"203.0.113.{number}") == 429
        clock.pass_by(seconds=1)
        assert guess(Client(), f"203.0.113.{number}") == 200


def test_a_right_password_counts_after_the_wait(owner: User, clock: Clock) -> None:
    guess_from_everywhere(12)
    page = Client().post(LOGIN, {"username": "owner", "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
    assert "Too many attempts. Try again in a second." in page.content.decode()
    clock.pass_by(seconds=1)
    assert guess(Client(), "192.0.2.1", PASSWORD) == 302


def test_refused_attempts_do_not_make_the_wait_longer(owner: User, clock: Clock) -> None:
    guess_from_everywhere(18)
    clock.pass_by(seconds=1)
    assert guess(Client(), "192.0.2.1", PASSWORD) == 302


def test_an_unknown_name_waits_just_the_same(owner: User) -> None:
    assert guess_from_everywhere(12, "owner") == guess_from_everywhere(12, "unknown")


def test_the_waits_of_one_name_are_not_anothers(owner: User) -> None:
    User.objects.create_user("other", password=PASSWORD)
    guess_from_everywhere(12)
    assert guess(Client(), "192.0.2.1", PASSWORD, "other") == 302


def test_a_name_is_left_alone_when_nobody_guesses_any_more(owner: User, clock: Clock) -> None:
    guess_from_everywhere(12)
    clock.pass_by(minutes=16)
    assert guess_from_everywhere(3) == [200] * 3


def test_nobody_can_lock_out_a_browser_that_is_known(owner: User) -> None:
    browser = browser_of("owner", address="192.0.2.1")
    browser.post("/accounts/logout/")
    guess_from_everywhere(12)
    for number in range(60):
        guess(Client(), "192.0.2.1", name=f"user{number % 20}" if number % 10 else "owner")
    assert guess(Client(), "192.0.2.1", PASSWORD) == 429
    assert guess(browser, "192.0.2.1", PASSWORD) == 302


def test_a_known_browser_has_five_attempts_itself(owner: User) -> None:
    browser = browser_of("owner")
    browser.post("/accounts/logout/")
    assert [guess(browser, f"203.0.113.{number}") for number in range(7)] == [200] * 5 + [429] * 2


def test_a_browser_is_known_for_its_own_user_only(owner: User) -> None:
    User.objects.create_user("mallory", password=PASSWORD)
    browser = browser_of("mallory", address="192.0.2.1")
    guess_from_everywhere(12)
    assert guess(browser, "192.0.2.1", PASSWORD) == 429


def test_nobody_makes_a_browser_known_by_themselves(owner: User) -> None:
    browser = browser_of("owner", address="192.0.2.1")
    forger = Client()
    value = browser.cookies["known_browser"].value
    forger.cookies["known_browser"] = value[:-1] + ("A" if value[-1] != "A" else "B")
    guess_from_everywhere(12)
    assert guess(forger, "192.0.2.1", PASSWORD) == 429


def test_the_cookie_of_a_known_browser_opens_nothing(owner: User) -> None:
    browser = browser_of("owner")
    cookie = browser.cookies["known_browser"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (LOGIN, True, "Lax")
    assert "owner" not in cookie.value
    stranger = Client()
    stranger.cookies["known_browser"] = cookie.value
    assert stranger.get(TOKENS).status_code == 302


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_attempts_at_one_name_at_the_same_time_wait_for_each_other(clock: Clock) -> None:
    for _ in range(throttle.FREE_FAILURES):
        throttle.admit([], "owner")
    clock.pass_by(seconds=1)

    def attempt(_: int) -> bool:
        try:
            throttle.admit([], "owner")
        except throttle.TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
