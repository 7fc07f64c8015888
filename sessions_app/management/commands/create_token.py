"""`manage.py create_token USERNAME`: an API token, printed this once; only its hash is stored."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from sessions_app.models import ApiToken


class Command(BaseCommand):
    help = "Print a new API token of a user, and nothing else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        _, clear_text = ApiToken.issue(user, "manage.py create_token")
        self.stdout.write(clear_text)
