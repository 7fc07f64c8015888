"""Which part of a file a request asks for (RFC 9110): one range of bytes, so that a download can be resumed."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(Exception):
    """The range has no byte of the file."""


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the end (exclusive) of what is asked for; None for all: also where it is no range
    that is known here, as several are. Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or start >= end:
        raise Unsatisfiable
    return start, end
