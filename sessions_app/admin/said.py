"""Sessions by what was said in them: the site's own search, for who may read messages. Each search is noted."""

from __future__ import annotations

from contextlib import nullcontext
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpRequest

from sessions_app.admin import log
from sessions_app.conversations.search import everybody, finding
from sessions_app.conversations.search.folding import fold
from sessions_app.llm.content.unicode import clean
from sessions_app.models import Message

HITS = 200
"""Messages, the newest, whose sessions are found."""


def sessions_with(request: HttpRequest, term: str) -> set[UUID]:
    """Return the sessions in which one of the newest messages with this text is; of one user, if the list is theirs."""
    if clean(term) != term:
        return set()
    log.note_search(request)
    owner = request.GET.get("owner", "")
    one = owner.isdecimal() and len(owner) < 19
    # What a search says to PostgreSQL's planner holds until its transaction ends. SQLite's would keep writers waiting.
    with transaction.atomic() if connection.vendor == "postgresql" else nullcontext():
        found = finding.newest(int(owner), fold(term), HITS) if one else everybody.newest(fold(term), HITS)
    return set(Message.objects.filter(pk__in=found).values_list("chat_session", flat=True))
