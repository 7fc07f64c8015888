"""What the index must hold, said without it: its invariant, and every message that holds a query."""

from __future__ import annotations

from django.db import connection, transaction

from sessions_app.conversations.search import finding, index
from sessions_app.conversations.search.folding import fold
from sessions_app.database import plain
from sessions_app.models import Message


def catch_up() -> None:
    """Bring every change into the index."""
    while index.waiting():
        with transaction.atomic():
            assert index.catch_up()


def assert_invariant() -> None:
    """Each message without a change has a true entry; of the others, every owner there was is known."""
    messages = {pk: (owner, fold(text)) for pk, owner, text in Message.objects.values_list("pk", "owner", "text")}
    entries = _entries()
    changes = set(plain.rows("SELECT message_id, owner_id FROM hermes_search_change", []))
    for pk in messages.keys() | entries.keys():
        if messages.get(pk) != entries.get(pk):
            owners = {row[0] for row in (messages.get(pk), entries.get(pk)) if row}
            assert {(pk, owner) for owner in owners} <= changes
    assert keys() == {(key, pk) for pk, (owner, text) in entries.items() for key in index._keys(owner, text).split()}


def keys() -> set[tuple[str, int]]:
    """All keys, each with a message that it leads to."""
    if connection.vendor == "postgresql":
        return set(plain.rows("SELECT unnest(keys), message_id FROM hermes_search_entry", []))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.all_keys USING fts5vocab(main, hermes_search_keys, instance)"
        )
        cursor.execute("SELECT term, doc FROM temp.all_keys")
        return set(cursor.fetchall())


def found(owner_id: int, query: str, limit: int = 1000) -> list[str]:
    """The texts that a search finds, the newest first."""
    ids = finding.newest(owner_id, fold(query), limit)
    texts = dict(Message.objects.filter(pk__in=ids).values_list("pk", "text"))
    return [texts[pk] for pk in ids]


def _entries() -> dict[int, tuple[int, str]]:
    rows = plain.rows("SELECT message_id, owner_id, folded FROM hermes_search_entry", [])
    return {message_id: (owner_id, folded) for message_id, owner_id, folded in rows}
