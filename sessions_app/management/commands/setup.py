"""`manage.py setup`: the database's tables and a first administrator. A second time it does nothing."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from sessions_app.management import files
from sessions_app.management.pending import migrations_are_pending

FIRST_ADMINISTRATOR = "admin"


class Command(BaseCommand):
    help = "Bring the database up to date and, where there is none, make a first administrator."

    def handle(self, *args: Any, **options: Any) -> None:
        files.make_private()
        if migrations_are_pending():
            call_command("migrate", interactive=False, verbosity=0)
        taken = get_user_model().objects.filter(username=FIRST_ADMINISTRATOR)
        if not (get_user_model().objects.filter(is_superuser=True) | taken).exists():
            password = secrets.token_urlsafe(12)
            with transaction.atomic():  # with the record of it
                get_user_model().objects.create_superuser(FIRST_ADMINISTRATOR, password=password)
            self.stdout.write(f"First administrator: {FIRST_ADMINISTRATOR}, password {password} (shown only this once)")
