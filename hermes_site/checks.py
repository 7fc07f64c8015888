"""System checks: a setting that cannot work stops the start with one sentence that names it."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from sessions_app.llm.providers import check_model


@register("hermes")
def settings_can_work(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    models = [problem for name in ("HERMES_MODEL", "HERMES_TITLE_MODEL") for problem in _model_problems(name)]
    problems = [*settings.HERMES_SETTING_PROBLEMS, *models]
    return [Error(problem, id="hermes.E001") for problem in problems]


def _model_problems(setting: str) -> list[str]:
    name: str = getattr(settings, setting)
    try:
        check_model(name)
    except ValueError as error:
        # What follows the first sentence is advice to programmers.
        reason = str(error).partition(". ")[0].rstrip(".")
        return [f"{setting}={name} cannot be used: {reason}."]
    return []
