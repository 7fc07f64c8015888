"""A user's own instructions: read, and replaced. Sessions keep those that they were made with."""

from __future__ import annotations

from sessions_app.models import UserInstructions

LONGEST = 4_000
"""Characters."""


def read(user_id: int) -> str:
    """Return a user's instructions, empty for none."""
    found = UserInstructions.objects.filter(owner=user_id).values_list("text", flat=True).first()
    return found or ""


def write(user_id: int, text: str) -> None:
    """Put a text in the place of a user's instructions; an empty one removes them."""
    if text:
        UserInstructions.objects.update_or_create(owner_id=user_id, defaults={"text": text})
    else:
        UserInstructions.objects.filter(owner=user_id).delete()
