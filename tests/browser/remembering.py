"""Memories of a user, beside what the page does."""

from __future__ import annotations

from tests.browser.shell import act
from tests.live import LiveSite

_ADD = """
from django.contrib.auth.models import User
from django.db import transaction
from sessions_app.session_store import memory
with transaction.atomic():
    memory.add(User.objects.get(username={name!r}).pk, {text!r})
"""


def remember(site: LiveSite, user: str, text: str) -> None:
    """Add a memory, as another program does."""
    act(site, _ADD.format(name=user, text=text))
