"""Tell open connections at once when what they were let in by may have ended.

A command finds out by itself (``auth``); a connection that only listens would not. So in this
process Django's own signals name the user concerned, and that user's connections ask the
database again. In other processes a connection finds out with its next command.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from sessions_app.models import ApiToken


class Doubtful(Protocol):
    """A connection that can ask again whether its caller may act; hashed by identity."""

    user_id: int

    def doubt(self) -> None:
        """Ask again soon. Called from any thread, must not wait."""


# Signals come from the threads of HTTP requests. Adding, removing and copying a dict are each
# one step of the interpreter, so no lock is needed.
_watched: dict[Doubtful, None] = {}


def watch(connection: Doubtful) -> None:
    """Begin to tell a connection; lasts until ``unwatch``."""
    _watched[connection] = None


def unwatch(connection: Doubtful) -> None:
    """Tell a connection no more."""
    _watched.pop(connection, None)


def _tell(user_id: int) -> None:
    for connection in list(_watched):
        if connection.user_id == user_id:
            connection.doubt()


def _tell_after_commit(user_id: int) -> None:
    transaction.on_commit(partial(_tell, user_id), robust=True)


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def _user_changed(instance: Any, **_: Any) -> None:
    """A new password, a deactivation, a deletion."""
    _tell_after_commit(instance.pk)


@receiver(post_delete, sender=ApiToken)
def _token_revoked(instance: ApiToken, **_: Any) -> None:
    _tell_after_commit(instance.owner_id)


@receiver(post_delete, sender=Session)
def _session_ended(instance: Session, **_: Any) -> None:
    """A logout (the logout signal itself comes before the row is gone)."""
    user_id = instance.get_decoded().get(SESSION_KEY)
    if user_id is not None:
        _tell_after_commit(int(user_id))
