"""Fill a database for the benchmark: `python -m bench.seed USERS MESSAGES…` migrates it and prints JSON.

USERS users, each with a token; the first one has a session of each given number of messages (pairs of ten words
asked and fifty answered). It reads the same environment as the host.
"""

from __future__ import annotations

import json
import os
import sys


def fill(users: int, lengths: list[int]) -> dict[str, list[str]]:
    """Tokens, and the ids of the sessions of these lengths."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import transaction

    from sessions_app.models import ApiToken

    call_command("migrate", interactive=False, verbosity=0)
    with transaction.atomic():
        owners = User.objects.bulk_create(User(username=f"user{number}", password="!") for number in range(users))
        tokens = [ApiToken.issue(owner)[1] for owner in owners]
        return {"tokens": tokens, "sessions": [make_session(owners[0].pk, length) for length in lengths]}


def make_session(owner_id: int, length: int) -> str:
    """The id of a new session of so many messages."""
    from sessions_app.models import ChatSession, Message
    from sessions_app.session_store import chats

    chat_session = ChatSession.objects.get(pk=chats.create(owner_id, f"{length} messages").id)
    said = {"user": "How deep is the sea at that place? " * 2, "assistant": "The sea is deep and old there. " * 8}
    Message.objects.bulk_create(
        Message(
            owner_id=owner_id,
            chat_session=chat_session,
            branch_id=chat_session.active_branch_id,
            position=position,
            role=role,
            text=f"{position}: {said[role]}",
        )
        for position, role in zip(range(length), ["user", "assistant"] * length, strict=False)
    )
    return str(chat_session.pk)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hermes_site.settings")
    import django

    django.setup()
    print(json.dumps(fill(int(sys.argv[1]), [int(length) for length in sys.argv[2:]])))
