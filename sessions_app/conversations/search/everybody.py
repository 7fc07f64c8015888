"""Find everybody's newest messages that hold a query, for administrators: no user's own search comes here.

The keys of each user are asked for in turn, whose place in a key is marked. So what it costs grows with the users.
"""

from __future__ import annotations

from django.db import connection

from sessions_app.conversations.search import index
from sessions_app.conversations.search.folding import fold
from sessions_app.database import plain
from sessions_app.database.users import of_users

_ANY_OWNER = "#"
# No sum is looked for in the index by owner and age, which may seem better than the keys while there are few messages.
_INDEXED = {
    "sqlite": f"""
SELECT entry.message_id FROM {{users}} AS owner
CROSS JOIN hermes_search_keys
CROSS JOIN hermes_search_entry AS entry ON entry.message_id = hermes_search_keys.rowid
WHERE hermes_search_keys MATCH replace(%s, '{_ANY_OWNER}', owner.id) AND instr(entry.folded, %s) AND {index.UNCHANGED}
ORDER BY entry.message_id DESC LIMIT %s
""",  # nosec B608
    "postgresql": f"""
SELECT found.message_id FROM {{users}} AS owner CROSS JOIN LATERAL (
  SELECT entry.message_id FROM hermes_search_entry AS entry
  WHERE keys @> (SELECT array_agg(replace(part, '{_ANY_OWNER}', owner.id::text)) FROM unnest(%s::text[]) AS part)
    AND entry.owner_id + 0 = owner.id AND strpos(folded, %s) > 0 AND {index.UNCHANGED}
) AS found ORDER BY found.message_id DESC LIMIT %s
""",  # nosec B608
}
# Where a table is small, PostgreSQL would read it whole. In a transaction of search alone.
_BY_KEYS = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)"
_UNINDEXED = """
SELECT message.id, {text} FROM (SELECT message_id FROM hermes_search_change ORDER BY id DESC LIMIT %s) AS changed
JOIN sessions_app_message AS message ON message.id = changed.message_id
"""


def newest(folded: str, limit: int) -> list[int]:
    """Return the ids of everybody's newest messages that hold a folded query, at most ``limit``, the newest first.

    Of messages that wait for the index, the newest changes alone are read.
    """
    found = plain.rows(of_users(_INDEXED[connection.vendor]), [_wanted(folded), folded, limit])
    sql = _UNINDEXED.format(text=index.TEXT[connection.vendor])
    waiting = plain.rows(sql, [index.CHANGES_AT_ONCE])
    changed = {key for key, text in waiting if text is not None and folded in fold(index.decoded(text))}
    return sorted(changed | {key for (key,) in found}, reverse=True)[:limit]


def _wanted(folded: str) -> object:
    """Return what the database's index is asked for, and on PostgreSQL let this transaction ask it."""
    if connection.vendor == "sqlite":
        return index.fts_query(_ANY_OWNER, folded)
    plain.rows(_BY_KEYS, [])
    return index.keys_of_query(_ANY_OWNER, folded)
