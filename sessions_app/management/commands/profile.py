"""`manage.py profile NAME …`: make a profile, or change what is given of one; its id is printed, and nothing else."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from sessions_app.conversations.windows import check_window
from sessions_app.llm.providers import check_model
from sessions_app.llm.tools.registry import site_tools
from sessions_app.management.groups import groups_named
from sessions_app.models import AgentProfile
from sessions_app.tool_servers.definitions import specs_of_profile


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


class Command(BaseCommand):
    help = "Make an agent profile, or change what is given of one that exists, and print its id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--model", help="A Pydantic AI model string, or demo; empty: what HERMES_MODEL says.")
        parser.add_argument("--system-prompt")
        parser.add_argument("--description", help="For users who choose a model.")
        parser.add_argument("--tools", type=_names, help="Names, separated by commas; empty: none.")
        parser.add_argument("--groups", type=_names, help="Who may use it; empty: everybody.")
        parser.add_argument("--context", type=int, help="Tokens that the model's window holds.")
        parser.add_argument(
            "--memory", action=BooleanOptionalAction, help="Whether its users' memory is told to the model."
        )
        parser.add_argument("--takes-images", action=BooleanOptionalAction, help="Whether its model sees pictures.")
        parser.add_argument("--takes-files", action=BooleanOptionalAction, help="Whether its users can send documents.")
        parser.add_argument("--default", action="store_true", help="New sessions are made of it.")

    @transaction.atomic
    def handle(self, *args: Any, name: str, default: bool, **options: Any) -> None:
        groups = groups_named(options["groups"])
        profile = AgentProfile.objects.filter(name=name).first() or AgentProfile(name=name)
        for column in (
            "model",
            "system_prompt",
            "description",
            "tools",
            "context",
            "memory",
            "takes_images",
            "takes_files",
        ):
            if options[column] is not None:
                setattr(profile, column, options[column])
        self._check(options, profile)
        if default:
            AgentProfile.objects.exclude(pk=profile.pk).filter(is_default=True).update(is_default=False)
            profile.is_default = True
        try:
            profile.full_clean(exclude=["tools"])
        except ValidationError as error:
            problems = [f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()]
            raise CommandError("; ".join(problems)) from None
        profile.save()
        if groups is not None:
            profile.groups.set(groups)
        self.stdout.write(str(profile.pk))

    def _check(self, options: dict[str, Any], profile: AgentProfile) -> None:
        known = site_tools().specs()
        if unknown := [tool for tool in options["tools"] or [] if tool not in known]:
            names = ", ".join(map(repr, unknown))
            raise CommandError(f"There is no tool {names}. There are {', '.join(sorted(known))}.")
        self._check_window(profile)
        try:
            # A server of its own takes any name, and what the environment has is not for it.
            check_model("" if profile.base_url else options["model"] or "")
        except ValueError as error:
            raise CommandError(f"--model: {error}") from None

    def _check_window(self, profile: AgentProfile) -> None:
        if profile.context is None:
            return
        if profile.context < 1:
            raise CommandError("--context must be a number of tokens.")
        try:
            others = specs_of_profile(profile) if profile.pk else ()
            check_window(profile.context, site_tools().freeze(profile.system_prompt, profile.tools, others))
        except ValueError as error:
            raise CommandError(f"--context: {error}") from None
