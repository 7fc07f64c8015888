"""Budgets in admin: listed with what is spent and when they reset, set, changed and lifted."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils.timezone import localdate
from pytest_django import DjangoAssertNumQueries

from sessions_app.models import Budget, BudgetPeriod
from sessions_app.models.budgets import NANODOLLARS
from tests.admin.conftest import list_of, page_of

ADD = list_of(Budget) + "add/"


def read(page: Any) -> str:
    """What stands on a page, without its tags."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode())))


def filled(**changes: Any) -> dict[str, Any]:
    told = {"user_name": "", "group": "", "per": "month", "unit": "usd", "limit": "12.50", "warn_at": "80"}
    return {**told, "_save": "Save", **changes}


def test_the_list_says_what_is_spent_and_when_it_resets(
    boss: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = Budget.objects.create(user=alice, per="day", unit="tokens", amount=2_000)
    BudgetPeriod.objects.create(budget=first, began=localdate(), spent=500, reserved=1_000)
    BudgetPeriod.objects.create(budget=first, began="2020-01-01", spent=77_777)
    shared = Budget.objects.create(
        group=Group.objects.create(name="staff"), per="month", unit="usd", amount=NANODOLLARS
    )
    BudgetPeriod.objects.create(budget=shared, began=localdate().replace(day=1), spent=NANODOLLARS, unpriced=3)
    boss.get(list_of(Budget))
    with django_assert_num_queries(6):
        page = boss.get(list_of(Budget))
    told = read(page)
    for words in ("alice", "500 tokens (25%)", "1,000 tokens", "group staff", "$1.00 (100%)", "2 budgets"):
        assert words in told, words
    assert "77,777" not in told
    assert "500 tokens (25%)" in read(boss.get(page_of(first)))
    assert "alice" not in read(boss.get(f"{list_of(Budget)}?q=staff"))


def test_set_changed_and_lifted(boss: Client, alice: User) -> None:
    staff = Group.objects.create(name="staff")
    assert boss.post(ADD, filled(user_name="alice")).status_code == 302
    assert boss.post(ADD, filled(group=staff.pk, unit="tokens", limit="1000", per="week")).status_code == 302
    own, shared = Budget.objects.order_by("pk")
    assert (own.user, own.group, own.amount) == (alice, None, 12_500_000_000)
    assert (shared.user, shared.group, shared.amount, shared.per) == (None, staff, 1_000, "week")
    assert 'value="12.5"' in boss.get(page_of(own)).content.decode()
    # Whose it is and for what stays, whatever is sent.
    changed = filled(group=staff.pk, per="day", unit="tokens", limit="20", warn_at="50")
    assert boss.post(page_of(own), changed).status_code == 302
    own.refresh_from_db()
    assert (own.user, own.group, own.per, own.unit, own.amount, own.warn_at) == (
        *(alice, None, "month", "usd", 20 * NANODOLLARS, 50),
    )
    assert boss.post(page_of(own, "delete"), {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": str(shared.pk), "post": "yes"}
    assert boss.post(list_of(Budget), chosen).status_code == 302
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Name a user, or choose a group"),
        ({"user_name": "nobody"}, "There is no user of this name."),
        ({"user_name": "alice", "unit": "tokens", "limit": "1.5"}, "Tokens are whole numbers."),
        ({"user_name": "alice", "limit": "9000001"}, "more than can be counted"),
        ({"user_name": "alice", "limit": "-1"}, "greater than or equal to 0"),
        ({"user_name": "alice", "limit": "NaN"}, "Enter a number."),
        ({"user_name": "alice", "warn_at": "0"}, "greater than or equal to 1"),
        ({"user_name": "alice", "per": "year"}, "not one of the available choices"),
        ({"user_name": "alice", "per": "day"}, "There is such a budget already."),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_entered(
    boss: Client, alice: User, changes: dict[str, Any], told: str
) -> None:
    Budget.objects.create(user=alice, per="day", unit="usd", amount=1)
    page = boss.post(ADD, filled(**changes))
    assert page.status_code == 200
    assert told in read(page)
    assert Budget.objects.count() == 1
