"""The serialised elements of a transcript, in groups that can be cut off again."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from sessions_app.llm.content.files import IMAGE_BYTES, count_in

GROUP_BYTES = 50
"""Bytes of a group, besides its elements: five numbers, and what arrays hold ahead."""


class KeptElements:
    """Elements joined by commas, as they stand in a request. Lives as long as its transcript.

    A group is what became elements together: a user's row, or an answer with its tools' results. Groups are added at
    the end, in the order of their rows' positions, and cut from there. Of each group five numbers are kept. A picture
    is a reference here, and counts in a length as what it is (`files.IMAGE_BYTES`).
    """

    def __init__(self) -> None:
        self._joined = bytearray()
        self._firsts, self._lasts = array("q"), array("q")
        self._ends, self._rows, self._lengths = array("q"), array("q"), array("q")

    def __bool__(self) -> bool:
        return bool(self._joined)

    @property
    def size(self) -> int:
        """Bytes it holds, about."""
        return len(self._joined) + GROUP_BYTES * len(self._ends)

    @property
    def last(self) -> int:
        """The position of the last row; -1 where there is none."""
        return self._lasts[-1] if self._lasts else -1

    @property
    def length(self) -> int:
        """Bytes of the elements, joined by commas, about as they are sent."""
        return self._lengths[-1] if self._lengths else 0

    def copy(self) -> KeptElements:
        """The same elements, to be cut apart from these."""
        other = KeptElements()
        other._joined = self._joined.copy()
        other._firsts, other._lasts = self._firsts[:], self._lasts[:]
        other._ends, other._rows, other._lengths = self._ends[:], self._rows[:], self._lengths[:]
        return other

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield the position at which each group begins, and the bytes of the elements before it."""
        return zip(self._firsts, [0, *self._lengths], strict=False)

    def joined(self) -> bytes:
        """All elements, joined by commas."""
        return bytes(self._joined)

    def add(self, first: int, last: int, rows: int, elements: bytes) -> None:
        """Add a group of so many rows, from position `first` to `last`; its elements are joined, or empty."""
        before, images = self.length + bool(self._joined and elements), count_in(elements)
        if elements:
            self._joined += b"," * bool(self._joined) + elements
        self._firsts.append(first)
        self._lasts.append(last)
        self._ends.append(len(self._joined))
        self._lengths.append(before + len(elements) + IMAGE_BYTES * images)
        self._rows.append(rows + (self._rows[-1] if self._rows else 0))

    def cut(self, position: int) -> int | None:
        """Cut off all rows from a position on, and return how many are left.

        None, and nothing is cut, where the place lies within a group.
        """
        count = bisect_left(self._firsts, position)
        if count and self._lasts[count - 1] >= position:
            return None
        for numbers in (self._firsts, self._lasts, self._ends, self._rows, self._lengths):
            del numbers[count:]
        del self._joined[self._ends[-1] if count else 0 :]
        return self._rows[-1] if count else 0
