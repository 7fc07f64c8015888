"""The index of all messages' folded texts. Every key in it begins with the message's owner.

Two plain tables, of migration 0005, and a full-text index:

- ``hermes_search_entry`` has a row for each indexed message: its id, owner and folded text;
- ``hermes_search_change`` has a row for each change of a message that the index does not hold yet. Triggers
  write it (``sessions_app.database.triggers``), so it has the changes of foreign programs too.

The invariant: a message without a change row is indexed as it is, or was deleted and has no entry. A search reads the
messages that have one itself (``finding``), so it is always true; ``catch_up`` takes the rows away, a few at a time.

A key is an owner and one to three characters of the folded text, in one word: so a search visits no key, and no
row, of other users. SQLite keeps the keys in an FTS5 table that has no text, PostgreSQL in a column with a GIN index.
"""

from __future__ import annotations

from django.db import connection

from sessions_app.conversations.search.folding import fold
from sessions_app.database import plain

# One catch_up is one transaction, which on SQLite keeps other writers waiting.
CHANGES_AT_ONCE = 100
_CHARACTERS_AT_ONCE = 20_000
# More keys would not narrow the search; the text decides.
_KEYS_OF_QUERY = 24
_LONGEST_KEY = 3

# Any number that no other lock of this database has.
_LOCK = 720_418_905
_TRY_LOCK = "SELECT pg_try_advisory_xact_lock(%s)"

_WAITING = "SELECT 1 FROM hermes_search_change LIMIT 1"
_CHANGES = "SELECT id, message_id FROM hermes_search_change ORDER BY id LIMIT %s"
_FORGET = "DELETE FROM hermes_search_change WHERE id = %s"
# As bytes: another program may have written what is no UTF-8, which must not keep the rest from being indexed. A note,
# which nobody has said, has none.
TEXT = {
    "sqlite": "CASE WHEN message.kind <> 'note' THEN CAST(message.text AS BLOB) END",
    "postgresql": "CASE WHEN message.kind <> 'note' THEN convert_to(message.text, 'UTF8') END",
}
# Of an entry: the index holds its message as it is now.
UNCHANGED = """NOT EXISTS (SELECT 1 FROM hermes_search_change AS change
                 WHERE change.owner_id = entry.owner_id AND change.message_id = entry.message_id)"""
_COMPARE = """
SELECT message.owner_id, {text}, entry.owner_id, entry.folded
FROM (SELECT %s AS id) AS changed
LEFT JOIN sessions_app_message AS message ON message.id = changed.id
LEFT JOIN hermes_search_entry AS entry ON entry.message_id = changed.id
"""
_REMOVE = "DELETE FROM hermes_search_entry WHERE message_id = %s"
_ADD = "INSERT INTO hermes_search_entry (message_id, owner_id, folded) VALUES (%s, %s, %s)"
_ADD_WITH_KEYS = """
INSERT INTO hermes_search_entry (message_id, owner_id, folded, keys)
VALUES (%s, %s, %s, string_to_array(%s, ' '))
"""
_ADD_KEYS = "INSERT INTO hermes_search_keys (rowid, keys) VALUES (%s, %s)"
_REMOVE_KEYS = "INSERT INTO hermes_search_keys (hermes_search_keys, rowid, keys) VALUES ('delete', %s, %s)"

# What is not sorted in yet, every search would have to read. (Sorting in many keys at once takes a third of the time.)
_SORT_IN = "SELECT gin_clean_pending_list('hermes_search_keys')"


def waiting() -> bool:
    """Tell whether there are changes that the index does not hold."""
    return bool(plain.rows(_WAITING, []))


def catch_up() -> bool:
    """Bring some changes into the index, or return False: another process does so at this moment."""
    if connection.vendor == "postgresql" and plain.rows(_TRY_LOCK, [_LOCK]) == [(False,)]:
        return False
    left, renewed, done = _CHARACTERS_AT_ONCE, set[int](), []
    for change_id, message_id in plain.rows(_CHANGES, [CHANGES_AT_ONCE]):
        if message_id not in renewed:
            left -= _renew(message_id)
            renewed.add(message_id)
        done.append([change_id])
        if left < 0:
            break
    plain.each(_FORGET, done)
    if connection.vendor == "postgresql":
        plain.rows(_SORT_IN, [])
    return True


def _renew(message_id: int) -> int:
    """Make a message's entry true, and return the number of characters that were read for it."""
    sql = _COMPARE.format(text=TEXT[connection.vendor])
    [(owner_id, text, entry_owner_id, entry_text)] = plain.rows(sql, [message_id])
    folded = None if text is None else fold(decoded(text))
    if (owner_id, folded) != (entry_owner_id, entry_text):
        if entry_text is not None:
            _remove(message_id, entry_owner_id, entry_text)
        if folded is not None:
            _add(message_id, owner_id, folded)
    return len(folded or "") + len(entry_text or "")


def decoded(text: bytes) -> str:
    """Return a stored text; what is no UTF-8 in it becomes a sign of that."""
    return bytes(text).decode(errors="replace")


def _add(message_id: int, owner_id: int, folded: str) -> None:
    keys = _keys(owner_id, folded)
    if connection.vendor == "sqlite":
        plain.each(_ADD, [[message_id, owner_id, folded]])
        plain.each(_ADD_KEYS, [[message_id, keys]])
    else:
        plain.each(_ADD_WITH_KEYS, [[message_id, owner_id, folded, keys]])


def _remove(message_id: int, owner_id: int, folded: str) -> None:
    if connection.vendor == "sqlite":
        # An FTS5 table without text must be told what it was given.
        plain.each(_REMOVE_KEYS, [[message_id, _keys(owner_id, folded)]])
    plain.each(_REMOVE, [[message_id]])


def _keys(owner_id: int, folded: str) -> str:
    """Return the keys of a message, each a word.

    They are stored: a release that changes them needs a migration that makes the index again.
    """
    parts = {part for length in range(1, _LONGEST_KEY + 1) for part in _parts(folded, length)}
    return " ".join(sorted(_key(owner_id, part) for part in parts))


def keys_of_query(owner_id: int | str, folded: str) -> list[str]:
    """Return keys that each of the owner's messages has which holds the query."""
    parts = dict.fromkeys(_parts(folded, min(len(folded), _LONGEST_KEY)))
    return [_key(owner_id, part) for part in parts][:_KEYS_OF_QUERY]


def fts_query(owner_id: int | str, folded: str) -> str:
    """Return the keys of a query as SQLite's FTS5 is asked for all of them."""
    return " AND ".join(f'"{key}"' for key in keys_of_query(owner_id, folded))


def _parts(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(len(text) - length + 1)]


def _key(owner_id: int | str, part: str) -> str:
    """Return one word of ASCII letters and digits, in which FTS5's tokenizer changes nothing."""
    return f"{owner_id}x{part.encode().hex()}"
