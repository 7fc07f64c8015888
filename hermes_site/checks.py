"""System checks: a setting that cannot work stops the start with one sentence that names it."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register("hermes")
def settings_can_work(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    problems = [*settings.HERMES_SETTING_PROBLEMS, *_model_problems(settings.HERMES_MODEL)]
    return [Error(problem, id="hermes.E001") for problem in problems]


def _model_problems(name: str) -> list[str]:
    if name == "demo":
        return []
    # Importing a provider costs most of a second: only who names one pays.
    from pydantic_ai.exceptions import UserError
    from pydantic_ai.models import infer_model

    try:
        infer_model(name)
    except (UserError, ValueError, ImportError) as error:
        # What follows the first sentence is advice to programmers.
        reason = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
        return [f"HERMES_MODEL={name} cannot be used: {reason}."]
    return []
