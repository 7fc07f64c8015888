"""Facts in an order that a client can follow, though several processes tell them.

Each fact is told after its commit, by whoever committed it. Two commits of one session come one
after the other, but their words may overtake each other: between database threads of one
process, and between processes. A client that hears "queued" after "begun" shows a waiting
message for ever. So each process lets a word pass only while it is news: a session's state that is
older than one already told is not, nor is a message that waits once it was told to have begun.
What is held back is part of what was told before: the later commit was read under the same lock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from uuid import UUID

from sessions_app.turns.hub import Notification

# Words overtake each other by milliseconds; this many things do not happen in that time.
REMEMBERED = 10_000


class Recent:
    """A mapping that forgets what was set longest ago."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, int] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def get(self, key: Hashable) -> int:
        """Return a key's value, 0 where it has none."""
        return self._values.get(key, 0)

    def set(self, key: Hashable, value: int = 1) -> None:
        """Set a key's value, as the most recent one."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > REMEMBERED:
            self._values.popitem(last=False)


class News:
    """What the connections of this process were told last, of facts that replace each other."""

    def __init__(self) -> None:
        self._begun = Recent()
        self._revisions = Recent()

    def is_news(self, user_id: int, told: Notification) -> bool:
        """Tell whether a fact is to be told; from then on it counts as told."""
        match told.follows:
            case ["waits", str(message_id)]:
                return (user_id, message_id) not in self._begun
            case ["begun", str(message_id)]:
                self._begun.set((user_id, message_id))
            case ["revision", int(revision)]:
                return self._is_newest(told.session_id, revision)
        return True

    def _is_newest(self, session_id: UUID, revision: int) -> bool:
        if revision < self._revisions.get(session_id):
            return False
        self._revisions.set(session_id, revision)
        return True
