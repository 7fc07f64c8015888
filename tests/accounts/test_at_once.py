"""What many ask for at the same instant: one account of a first login, one login by a code."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import Group, User
from django.db import connection

from sessions_app.accounts.factors import codes
from sessions_app.accounts.models import GivenGroup
from sessions_app.accounts.providers import given_groups, people
from tests.accounts.conftest import Clock

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


def at_once(work: Callable[[], Any], count: int = 6) -> list[Any]:
    def closing(_: int) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(closing, range(count)))


def test_first_logins_at_once_make_one_account_with_its_groups() -> None:
    writers = Group.objects.create(name="writers")

    def log_in() -> bool:
        account = people.account_of("https://login.example", {"sub": "a1", "preferred_username": "ann"})
        return given_groups.set_given(account, {writers.pk})

    assert at_once(log_in) == [True] * 6
    assert [user.username for user in User.objects.all()] == ["ann"]
    assert GivenGroup.objects.count() == User.objects.get().groups.count() == 1


def test_a_code_that_comes_many_times_at_once_is_good_once(clock: Clock) -> None:
    user, secret = User.objects.create_user("ann"), codes.new_secret()
    period = int(clock.now.timestamp()) // codes.PERIOD_SECONDS
    codes.enrol(user, secret, period)
    code = format_hotp_value(hotp_value(secret, period + 1))
    recovery = codes.make_recovery_codes(user)[0]
    assert sum(at_once(lambda: codes.take_code(user.pk, code))) == 1
    assert sum(at_once(lambda: codes.take_recovery_code(user.pk, recovery))) == 1
