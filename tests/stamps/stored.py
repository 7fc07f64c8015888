"""What every user stores, said without the triggers that count it."""

from __future__ import annotations

from collections import defaultdict

from django.contrib.auth import get_user_model

from sessions_app.conversations.storage import Stored, stored
from sessions_app.models import ChatSession, ContentState, FileContent, Message, Turn


def assert_storage_is_true() -> None:
    """Each user's counts are those of their rows."""
    sessions: dict[int, int] = defaultdict(int)
    characters: dict[int, int] = defaultdict(int)
    for owner in ChatSession.objects.values_list("owner_id", flat=True):
        sessions[owner] += 1
    # As text: the size is that of the column, whatever the JSON in it says.
    for owner, text, parts in Message.objects.extra(select={"raw": "parts"}).values_list(
        "chat_session__owner_id", "text", "raw"
    ):
        characters[owner] += len(text) + len(parts or "")
    for owner, text in Turn.objects.filter(status__in=["queued", "withdrawn"]).values_list("owner_id", "text"):
        characters[owner] += len(text)
    file_bytes: dict[int, int] = defaultdict(int)
    for owner, size in FileContent.objects.exclude(state=ContentState.REMOVED).values_list("owner_id", "stored_size"):
        file_bytes[owner] += size
    for user in get_user_model().objects.values_list("pk", flat=True):
        assert stored(user) == Stored(sessions[user], characters[user], file_bytes[user])
