"""The accounts' registration with Django."""

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate, pre_save


class AccountsConfig(AppConfig):
    """Accounts: an application of its own, because it owns tables."""

    name = "sessions_app.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Hook up triggers, the check of names, the audit, and what follows a login and a new password."""
        from sessions_app.accounts import audited, logins, names, passwords, triggers, user_model

        pre_migrate.connect(triggers.drop, sender=self)
        post_migrate.connect(triggers.create, sender=self)
        checks.register(triggers.check, checks.Tags.database)
        checks.register(user_model.check)
        names.refuse_look_alikes(get_user_model()._meta.get_field("username"))
        pre_save.connect(passwords.end_what_was_opened, sender=get_user_model())
        audited.watch()
        user_logged_in.connect(logins.note_new)
        user_logged_out.connect(logins.note_left)
