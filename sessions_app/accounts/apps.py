"""The accounts' registration with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts: an application of its own, because it owns a table."""

    name = "sessions_app.accounts"
    label = "accounts"
