"""What admin's log keeps of users: their numbers, once they are gone, in the place of their names.

No row of the log holds another word of theirs: what stands for a row there is its ``__str__``, and that of what users
name and write is its number (tests/admin/test_log.py).
"""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import Value
from django.db.models.functions import Replace

from sessions_app.models import Budget, ChatSession


def forget(user_id: int, name: str) -> None:
    """Put a user's number in the place of their name: that of what is gone, too, so it is found by its text."""
    of_user = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(get_user_model()))
    of_user.filter(object_id=str(user_id)).update(object_repr=f"user {user_id}")
    for model, lookup, form in ((ChatSession, "endswith", " of {}"), (Budget, "startswith", "{}: ")):
        told, then = form.format(name), form.format(f"user {user_id}")
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
        naming = entries.filter(**{f"object_repr__{lookup}": told})
        naming.update(object_repr=Replace("object_repr", Value(told), Value(then)))
