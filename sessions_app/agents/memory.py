"""One session's transcript in memory: what the next request will be made of, most of it already serialised."""

from __future__ import annotations

from collections.abc import Iterable

from .history import Row
from .prefix import FrozenPrefix


class Transcript:
    """One session in memory: frozen prefix, model string, serialised elements, rows not serialised yet.

    Everything said so far must have been appended, in order, after it was stored. Not for two steps at once.
    """

    def __init__(self, session_id: str, prefix: FrozenPrefix, model: str, rows: Iterable[Row] = ()) -> None:
        raise NotImplementedError

    session_id: str
    prefix: FrozenPrefix
    model: str

    @property
    def size(self) -> int:
        """Bytes it holds, about."""
        raise NotImplementedError

    def append(self, row: Row) -> None:
        """Take in a row that has just been stored at the end of the branch."""
        raise NotImplementedError
