"""A user with a password, and their browser."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

PASSWORD = "correct horse battery staple"
LOGIN = "/accounts/login/"
SIGNUP = "/accounts/signup/"
TOKENS = "/accounts/tokens/"
LOGINS = "/accounts/logins/"
NEW_PASSWORD = "/accounts/password_change/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0"


class Clock:
    """The time as the site sees it; it stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner", password=PASSWORD)


@pytest.fixture
def signed_in(owner: User) -> Client:
    return browser_of("owner")


def browser_of(name: str, user_agent: str = FIREFOX, address: str = "192.0.2.7") -> Client:
    """A browser in which somebody has logged in through the page."""
    client = Client(headers={"user-agent": user_agent}, REMOTE_ADDR=address)
    assert client.post(LOGIN, {"username": name, "password": PASSWORD}).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(TOKENS).status_code == 200


def change_password(client: Client, new: str = "another horse battery staple", **more: str) -> int:
    form = {"old_password": PASSWORD, "new_password1": new, **more}
    return int(client.post(NEW_PASSWORD, form).status_code)
