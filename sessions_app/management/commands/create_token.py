"""`manage.py create_token USERNAME`: an API token, printed this once; only its hash is stored."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from sessions_app.conversations import features, profiles
from sessions_app.models import AgentProfile, ApiToken, Feature, TooManyTokens
from sessions_app.models.tokens import LIFETIME

LONGEST_DAYS = 3650


class Command(BaseCommand):
    help = "Print a new API token of a user, and nothing else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--days", type=int, default=LIFETIME.days, help="It expires after so many (%(default)s).")
        parser.add_argument("--read-only", action="store_true", help="It changes nothing.")
        parser.add_argument("--scim", action="store_true", help="It is for SCIM alone; the user must be a superuser.")
        parser.add_argument("--profile", metavar="NAME", help="It is for the chats of this profile alone.")

    def handle(
        self, *args: Any, username: str, days: int, read_only: bool, scim: bool, profile: str | None, **options: Any
    ) -> None:
        if not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days must be a number from 1 to {LONGEST_DAYS}.")
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        if scim and (read_only or profile is not None):
            raise CommandError("--scim goes with neither --read-only nor --profile.")
        if scim and not user.is_superuser:
            raise CommandError(f"{username!r} is no superuser: only a superuser's token is for SCIM.")
        if not scim and not features.allowed(user.pk, Feature.API_TOKENS):
            raise CommandError(f"{username!r} may not use API tokens: put them into a group that may.")
        only = None if profile is None else _choosable(user.pk, profile)
        name, lifetime = "manage.py create_token", timedelta(days=days)
        try:
            _, clear_text = ApiToken.issue(user, name, lifetime, reads_only=read_only, profile=only, is_for_scim=scim)
        except TooManyTokens as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(clear_text)


def _choosable(user_id: int, name: str) -> AgentProfile:
    """Return a profile that a user may choose. Raises CommandError."""
    found = profiles.choosable(user_id).filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no profile {name!r} that the user may choose.")
    return found
