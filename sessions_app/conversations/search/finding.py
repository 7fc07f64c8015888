"""Find the owner's newest messages that hold a folded query, a bounded number of them, for who picks the best.

The index (``index``) leads to those that it holds; those that have changed since are read themselves. What it costs
depends on the owner's own messages alone, and little on how many those are:

- SQLite walks the hits from the newest on, and stops at the limit.
- PostgreSQL's index of keys cannot be walked in an order. So the owner's newest messages are walked first: a few, and
  more of them while enough hold the query. Only a query that few hold is looked for by its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db import connection

from sessions_app.conversations.reach import clause
from sessions_app.conversations.search import index
from sessions_app.conversations.search.folding import fold
from sessions_app.database import plain

AROUND = 2_000
"""Characters of a folded text, from the first place that holds the query on, by which a message is judged."""
# Messages walked at first; where that many of them held the query, so many more are walked.
_FEW, _ENOUGH, _MANY = 500, 10, 10_000
_PAGE = 50
_HIGHEST_ID = 2**63 - 1

_WITHIN = """AND EXISTS (SELECT 1 FROM sessions_app_message AS own
            WHERE own.id = entry.message_id AND own.chat_session_id = %s)"""
_REACHED = """AND EXISTS (SELECT 1 FROM sessions_app_message AS own
            WHERE own.id = entry.message_id {reached})"""
# CROSS JOIN keeps the order of the tables.
_SQLITE = f"""
SELECT entry.message_id, substr(entry.folded, max(1, instr(entry.folded, %s) - 1), {AROUND})
FROM hermes_search_keys
CROSS JOIN hermes_search_entry AS entry ON entry.message_id = hermes_search_keys.rowid
WHERE hermes_search_keys MATCH %s AND entry.owner_id = %s AND instr(entry.folded, %s) AND {index.UNCHANGED} {{within}}
ORDER BY hermes_search_keys.rowid DESC LIMIT %s
"""  # nosec B608
# MATERIALIZED: the limit must not make the planner take an index by id, and walk all users' messages. And no sum is
# looked for in the index by owner and age, which may seem better than the keys while there are few messages.
_BY_KEYS = f"""
WITH entry AS MATERIALIZED (
  SELECT message_id, owner_id FROM hermes_search_entry
  WHERE keys @> %s::text[] AND owner_id + 0 = %s AND strpos(folded, %s) > 0
)
SELECT found.message_id, (
  SELECT substr(own.folded, greatest(1, strpos(own.folded, %s) - 1), {AROUND})
  FROM hermes_search_entry AS own WHERE own.message_id = found.message_id
) FROM (
  SELECT entry.message_id FROM entry WHERE {index.UNCHANGED} {{within}} ORDER BY entry.message_id DESC LIMIT %s
) AS found
"""  # nosec B608
# BETWEEN, and the order by owner: with an equal sign the index by id alone would have the order as well, and by some
# statistics the planner walked all users' messages.
_WALKED = f"""
SELECT entry.message_id, substr(entry.folded, greatest(1, strpos(entry.folded, %s) - 1), {AROUND})
FROM (
  SELECT message_id, owner_id, folded FROM hermes_search_entry
  WHERE owner_id BETWEEN %s AND %s ORDER BY owner_id DESC, message_id DESC LIMIT %s
) AS entry
WHERE strpos(entry.folded, %s) > 0 AND {index.UNCHANGED} {{within}}
ORDER BY entry.owner_id DESC, entry.message_id DESC LIMIT %s
"""  # nosec B608
# Where a table is small, PostgreSQL would read it whole, with the rows of others. In a transaction of search alone.
_PLANNED = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', %s, true),
  set_config('enable_bitmapscan', %s, true)
"""
_UNINDEXED = """
SELECT changed.message_id, {text}, message.chat_session_id
FROM (SELECT DISTINCT message_id FROM hermes_search_change WHERE owner_id = %s AND message_id < %s
      ORDER BY message_id DESC LIMIT %s) AS changed
LEFT JOIN sessions_app_message AS message
ON message.id = changed.message_id AND message.owner_id = %s {reached}
ORDER BY changed.message_id DESC
"""

Found = dict[int, str]
"""Ids of messages, the newest first, each with its folded text around the first place (see ``around``)."""


def around(folded_text: str, folded: str) -> str:
    """Return what a message is judged by: from the character before the first place on, AROUND characters."""
    start = max(0, folded_text.find(folded) - 1)
    return folded_text[start : start + AROUND]


def newest(owner_id: int, folded: str, limit: int, session_id: UUID | None = None) -> Found:
    """Return the owner's newest messages that hold a folded query, at most ``limit``; of a session alone, if given."""
    find = _found_by_sqlite if connection.vendor == "sqlite" else _found_by_postgresql
    found = find(owner_id, folded, limit, session_id)
    oldest = min(found, default=0)
    for message_id, text in _unindexed(owner_id, session_id):
        if len(found) >= limit and message_id < oldest:
            break
        if folded in (folded_text := fold(text)):
            found[message_id] = around(folded_text, folded)
    return dict(sorted(found.items(), reverse=True)[:limit])


def _found_by_sqlite(owner_id: int, folded: str, limit: int, session_id: UUID | None) -> Found:
    return _found(_SQLITE, [folded, index.fts_query(owner_id, folded), owner_id, folded], limit, session_id)


def _found_by_postgresql(owner_id: int, folded: str, limit: int, session_id: UUID | None) -> Found:
    plain.rows(_PLANNED, ["on", "off"])
    found = _walked(owner_id, folded, _FEW, limit, session_id)
    if limit > len(found) >= _ENOUGH:
        found = _walked(owner_id, folded, _MANY, limit, session_id)
    if len(found) >= limit:
        return found
    plain.rows(_PLANNED, ["off", "on"])
    keys = index.keys_of_query(owner_id, folded)
    return _found(_BY_KEYS, [keys, owner_id, folded, folded], limit, session_id)


def _walked(owner_id: int, folded: str, count: int, limit: int, session_id: UUID | None) -> Found:
    return _found(_WALKED, [folded, owner_id, owner_id, count, folded], limit, session_id)


def _found(sql: str, params: list[object], limit: int, session_id: UUID | None) -> Found:
    within, of_within = _within(session_id)
    return dict(plain.rows(sql.format(within=within), [*params, *of_within, limit]))


def _within(session_id: UUID | None) -> tuple[str, list[object]]:
    """Return what narrows a search, and its parameters: a session, or what the caller reaches."""
    if session_id:
        return _WITHIN, [session_id]
    reached, params = clause("own.chat_session_id")
    return _REACHED.format(reached=reached) if reached else "", params


def _unindexed(owner_id: int, session_id: UUID | None = None) -> Iterator[tuple[int, str]]:
    """Return id and text of the owner's messages that have changes, the newest first; of a session alone, if given."""
    before = _HIGHEST_ID
    reached, of_reached = clause("message.chat_session_id")
    sql = _UNINDEXED.format(text=index.TEXT[connection.vendor], reached=reached)
    while page := plain.rows(sql, [owner_id, before, _PAGE, owner_id, *of_reached]):
        before = page[-1][0]
        for message_id, text, of_session in page:
            if text is not None and session_id in (None, UUID(str(of_session))):
                yield message_id, index.decoded(text)
