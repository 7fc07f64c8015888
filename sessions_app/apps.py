"""The application's registration with Django."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate, pre_delete, pre_migrate

from sessions_app.database import migrating, triggers


class SessionsConfig(AppConfig):
    """Sessions, messages, turns and everything that serves them."""

    name = "sessions_app"
    verbose_name = "Chat"

    def ready(self) -> None:
        """Hook up triggers and system checks, give migrations the time they need, keep groups, and begin to audit."""
        from django.contrib.auth.models import Group

        from sessions_app.audit import watched
        from sessions_app.models import group_removal

        pre_migrate.connect(migrating.lift_idle_limit, sender=self)
        pre_migrate.connect(triggers.drop, sender=self)
        post_migrate.connect(triggers.create, sender=self)
        post_migrate.connect(migrating.restore_idle_limit, sender=self)
        pre_delete.connect(group_removal.refuse, sender=Group)
        checks.register(triggers.check, checks.Tags.database)
        watched.watch()
