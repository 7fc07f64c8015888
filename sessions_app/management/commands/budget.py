"""`manage.py budget (--user NAME | --group NAME) --per day …`: set what may be spent in a period, or lift it."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from sessions_app.budgets.amounts import nanodollars_of
from sessions_app.models import Budget, Per, Unit
from sessions_app.models.budgets import MOST, MOST_TOKENS


def _dollars(text: str) -> int:
    try:
        dollars = Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is no number of US dollars.") from None
    if not dollars.is_finite() or not 0 <= dollars <= MOST:
        raise ArgumentTypeError(f"A budget has 0 to {MOST:,} US dollars, not {text}.")
    return nanodollars_of(dollars)


def _tokens(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is no number of tokens.")
    if (tokens := int(text[:20])) > MOST_TOKENS:
        raise ArgumentTypeError(f"A budget has at most {MOST_TOKENS:,} tokens.")
    return tokens


def _warn_at(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= 100:
        raise ArgumentTypeError(f"{text!r} is not between 1 and 100 per cent.")
    return int(text)


class Command(BaseCommand):
    help = "Set a budget of a user, or one that the members of a group share; or lift those of a period with --none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        owner = parser.add_mutually_exclusive_group(required=True)
        owner.add_argument("--user", help="Whose it is.")
        owner.add_argument("--group", help="Whose members share it.")
        parser.add_argument(
            "--per", choices=Per.values, required=True, help="Calendar periods in the site's time zone."
        )
        amount = parser.add_mutually_exclusive_group(required=True)
        amount.add_argument("--usd", type=_dollars, metavar="N", help="US dollars, at list prices.")
        amount.add_argument("--tokens", type=_tokens, metavar="N", help="Of prompts and answers together.")
        amount.add_argument("--none", action="store_true", help="Lift both of this period.")
        parser.add_argument("--warn-at", type=_warn_at, metavar="PERCENT", help="From when on it is called scarce.")

    @transaction.atomic
    def handle(self, *args: Any, per: str, usd: int | None, tokens: int | None, none: bool, **options: Any) -> None:
        owner = self._owner(options["user"], options["group"])
        if none:
            rows = Budget.objects.select_for_update().filter(per=per, **owner)
            lifted, _ = Budget.objects.filter(pk__in=[row.pk for row in rows]).delete()
            self.stdout.write("Lifted." if lifted else "There was none.")
            return
        unit, amount = (Unit.TOKENS, tokens) if usd is None else (Unit.USD, usd)
        changed = {"amount": amount} | ({"warn_at": options["warn_at"]} if options["warn_at"] else {})
        budget, _ = Budget.objects.update_or_create(per=per, unit=unit, **owner, defaults=changed)
        self.stdout.write(str(budget.pk))

    def _owner(self, user: str | None, group: str | None) -> dict[str, Any]:
        if user is not None:
            users = get_user_model()
            found = users._default_manager.filter(**{users.USERNAME_FIELD: user}).first()
            if found is None:
                raise CommandError(f"There is no user {user!r}.")
            return {"user": found}
        named = Group.objects.filter(name=group).first()
        if named is None:
            raise CommandError(f"There is no group {group!r}. Make it in /admin/ first.")
        return {"group": named}
