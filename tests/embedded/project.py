"""A Django project of somebody else's, written into a folder: a user model of its own, and the chat under a prefix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.live import ENVIRONMENT
from tests.processes import ROOT, Process, finish
from tests.services import free_port

_SETTINGS = """
from hermes_site.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "people"]
AUTH_USER_MODEL = "people.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "elsewhere.urls"
"""
# The chat's pages under a prefix; at the root is something else.
_URLS = """
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("", lambda request: HttpResponse("Elsewhere")),
    path("chat/", include("hermes_site.urls")),
]
"""
MODELS = """
from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    nickname = models.CharField(max_length=50, blank=True)
"""
_ADMIN = """
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from people.models import Person

admin.site.register(Person, UserAdmin)
"""


_PREPARE = """
import django
from django.core.management import call_command
django.setup()
call_command("makemigrations", "people")
call_command("setup")
"""


class Project:
    """The project: run Django's commands in it, or serve it. `packages` is the folder that the site's are in."""

    def __init__(self, folder: Path, database_url: str, models: str = MODELS, *, packages: Path = ROOT) -> None:
        self.folder = folder
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}/chat/"
        self.ws_url = f"ws://127.0.0.1:{self.port}/chat/ws/chat/"
        path = os.pathsep.join([str(folder), str(packages)])
        mine = {"PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "elsewhere.settings", "DATABASE_URL": database_url}
        self.env = {**os.environ, **ENVIRONMENT, **mine, "PORT": str(self.port)}
        for name, text in {
            "elsewhere/__init__.py": "",
            "elsewhere/settings.py": _SETTINGS,
            "elsewhere/urls.py": _URLS,
            "people/__init__.py": "",
            "people/migrations/__init__.py": "",
            "people/models.py": models,
            "people/admin.py": _ADMIN,
        }.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of Django's commands."""
        return finish([sys.executable, "-m", "django", *arguments], self.env, self.folder)

    def manage(self, *arguments: str) -> str:
        """What a command prints that succeeds."""
        return self._printed(self.run(*arguments))

    def prepare(self, code: str = "") -> str:
        """What is printed by what prepares a site, and by code after it: in one process, whose start takes a second."""
        return self._printed(finish([sys.executable, "-c", _PREPARE + code], self.env, self.folder))

    def _printed(self, done: subprocess.CompletedProcess[str]) -> str:
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(self) -> Process:
        """Start the site, and return once it lets clients in."""
        process = Process([sys.executable, "-m", "django", "serve"], self.env, cwd=self.folder)
        process.line("Hermes Site is at")
        return process
