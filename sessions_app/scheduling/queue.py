"""A queue that is fair by user: each user's items in their own order, the users one after the other.

With k users waiting, an item that is the first of its user is taken after at most k - 1 items of others, however many
those have waiting (round robin). A user can be held: their items wait, and the others' turns come as if they had none.
No lock: it belongs to one thread, or to who holds a lock around it.
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
        self._held: dict[Hashable, OrderedDict[T, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, user: Hashable, item: T) -> None:
        """Add an item behind its user's others; a user who has none comes behind all users."""
        items = self._items(user)
        if items is None:
            items = self._waiting[user] = OrderedDict()
        items[item] = None
        self._count += 1

    @property
    def has_next(self) -> bool:
        """Whether an item waits whose user is not held."""
        return bool(self._waiting)

    def hold(self, user: Hashable) -> None:
        """Leave a user's items, also those to come, until ``release``."""
        self._held[user] = self._waiting.pop(user, OrderedDict())

    def release(self, user: Hashable) -> None:
        """End that: a held user who has items comes behind all users."""
        if items := self._held.pop(user):
            self._waiting[user] = items

    def _items(self, user: Hashable) -> OrderedDict[T, None] | None:
        return self._held[user] if user in self._held else self._waiting.get(user)

    def take(self) -> T:
        """Remove and return the next item of a user who is not held. Raises IndexError where there is none."""
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
        items = self._items(user)
        if items is None or item not in items:
            return
        del items[item]
        self._count -= 1
        if not items and user not in self._held:
            del self._waiting[user]
