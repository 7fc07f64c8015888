"""``manage.py budget``: sets, changes and lifts budgets, and says what is wrong."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser, Group
from django.core.management import CommandError, call_command

from sessions_app.models import Budget, BudgetPeriod, Unit
from sessions_app.models.budgets import NANODOLLARS

pytestmark = pytest.mark.one_database


def budgets() -> list[tuple[str, str, int, int]]:
    return list(Budget.objects.order_by("pk").values_list("per", "unit", "amount", "warn_at"))


def test_sets_changes_and_lifts(user: AbstractUser, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("budget", "--user", user.username, "--per", "day", "--usd", "2.50")
    [first] = Budget.objects.all()
    assert capsys.readouterr().out.strip() == str(first.pk)
    call_command("budget", "--user", user.username, "--per", "day", "--tokens", "100000", "--warn-at", "50")
    call_command("budget", "--user", user.username, "--per", "month", "--tokens", "5")
    BudgetPeriod.objects.create(budget=first, began="2026-11-28", spent=7)
    call_command("budget", "--user", user.username, "--per", "day", "--usd", "3")
    # It is the same one, so what is spent of it stays spent.
    assert BudgetPeriod.objects.get().budget_id == first.pk
    assert budgets() == [
        ("day", Unit.USD, 3 * NANODOLLARS, 80),
        ("day", Unit.TOKENS, 100_000, 50),
        ("month", Unit.TOKENS, 5, 80),
    ]
    call_command("budget", "--user", user.username, "--per", "day", "--none")
    assert budgets() == [("month", Unit.TOKENS, 5, 80)]
    assert not BudgetPeriod.objects.exists()
    call_command("budget", "--user", user.username, "--per", "day", "--none")
    assert capsys.readouterr().out.splitlines()[-2:] == ["Lifted.", "There was none."]


def test_a_group_has_one_of_its_own(user: AbstractUser) -> None:
    user.groups.add(Group.objects.create(name="staff"))
    for owner in (("--group", "staff"), ("--user", user.username)):
        call_command("budget", *owner, "--per", "week", "--usd", "0")
    assert [(row.user_id, row.group and row.group.name) for row in Budget.objects.order_by("pk")] == [
        (None, "staff"),
        (user.pk, None),
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--user", "nobody", "--per", "day", "--usd", "1"], "no user 'nobody'"),
        (["--group", "nobody", "--per", "day", "--usd", "1"], "no group 'nobody'"),
        (["--user", "owner", "--per", "day"], "--usd --tokens --none"),
        (["--user", "owner", "--per", "year", "--usd", "1"], "invalid choice: 'year'"),
        (["--user", "owner", "--group", "g", "--per", "day", "--usd", "1"], "not allowed with argument"),
        (["--user", "owner", "--per", "day", "--usd", "-1"], "0 to 9,000,000"),
        (["--user", "owner", "--per", "day", "--usd", "NaN"], "0 to 9,000,000"),
        (["--user", "owner", "--per", "day", "--usd", "1e999"], "0 to 9,000,000"),
        (["--user", "owner", "--per", "day", "--usd", "ten"], "'ten' is no number of US dollars"),
        (["--user", "owner", "--per", "day", "--tokens", "1.5"], "'1.5' is no number of tokens"),
        (["--user", "owner", "--per", "day", "--tokens", "9" * 400], "at most"),
        (["--user", "owner", "--per", "day", "--tokens", "1", "--warn-at", "0"], "between 1 and 100"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(user: AbstractUser, arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("budget", *arguments)
    assert not Budget.objects.exists()
