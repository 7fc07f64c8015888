"""A queue that is fair by user: each user's items in their own order, the users one after the other.

With k users waiting, an item that is the first of its user is taken after at most k - 1 items of others, however many
those have waiting (round robin). No lock: it belongs to one thread, or to who holds a lock around it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class FairQueue(Generic[T]):
    """Items that wait, by user; an item is in it once. All methods take the same time, however many items wait."""

    def __init__(self) -> None:
        # The users in the order of their turns; a dict finds its first key in linear time after deletions.
        self._waiting: OrderedDict[Hashable, OrderedDict[T, None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, user: Hashable, item: T) -> None:
        """Add an item behind its user's others; a user who has none comes behind all users."""
        items = self._waiting.get(user)
        if items is None:
            items = self._waiting[user] = OrderedDict()
        items[item] = None
        self._count += 1

    def take(self) -> T:
        """Remove and return the next item. Raises IndexError where none waits."""
        if not self._waiting:
            raise IndexError("nothing waits")
        user, items = next(iter(self._waiting.items()))
        item, _ = items.popitem(last=False)
        self._count -= 1
        if items:
            self._waiting.move_to_end(user)
        else:
            del self._waiting[user]
        return item

    def discard(self, user: Hashable, item: T) -> None:
        """Remove an item, if it still waits."""
        items = self._waiting.get(user)
        if items is None or item not in items:
            return
        del items[item]
        self._count -= 1
        if not items:
            del self._waiting[user]
