"""Django's handle on the wiring: system checks and the `serve` command."""

from django.apps import AppConfig


class HermesSiteConfig(AppConfig):
    name = "hermes_site"

    def ready(self) -> None:
        from hermes_site import checks  # noqa: F401 (registers them; settings are readable only now)
