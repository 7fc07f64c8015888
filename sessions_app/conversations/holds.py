"""Legal holds: while a user has one, none of their chats and not their account is deleted, by anybody."""

from __future__ import annotations

from sessions_app.errors import Conflict
from sessions_app.models import LegalHold

REFUSAL = "Your account is under a legal hold: nothing in it can be deleted now. Ask the operator of this site."


def is_held(user_id: int) -> bool:
    """Tell whether a user is under a legal hold."""
    return LegalHold.objects.filter(owner=user_id).exists()


def check(user_id: int) -> None:
    """Refuse to delete what is a user's. Raises Conflict."""
    if is_held(user_id):
        raise Conflict(REFUSAL, legal_hold=True)
