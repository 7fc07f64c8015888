"""For how long a provider may be asked to keep a conversation."""

from __future__ import annotations

from enum import IntEnum


class Retention(IntEnum):
    """Seconds after its last use. NONE: the conversation is neither written to the cache nor looked for there."""

    NONE = 0
    SHORT = 300
    LONG = 3600
