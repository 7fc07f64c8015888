"""The ids of OpenAI's objects: a prefix and an id of this host. What is no such id names nothing."""

from __future__ import annotations

import re
from uuid import UUID

# A thought or a call is named by its message and a number.
_ITEM = re.compile(r"(?:msg|rs|fc|fco)_([0-9a-f-]{36})(?:-\d{1,9})?")


def response_id(run_id: UUID) -> str:
    """Return the id of the response that a run is."""
    return f"resp_{run_id}"


def conversation_id(session_id: UUID) -> str:
    """Return the id of the conversation that a session is."""
    return f"conv_{session_id}"


def message_item_id(message_id: UUID | str) -> str:
    """Return the id of the item that a message is."""
    return f"msg_{message_id}"


def thought_item_id(thought_id: str) -> str:
    """Return the id of the item that a thought is, which a run names by its message's id and a number."""
    return f"rs_{thought_id}"


def call_item_id(message_id: UUID | str, number: int) -> str:
    """Return the id of the item that a message's call is; the program's calls are counted from 1."""
    return f"fc_{message_id}-{number}"


def result_item_id(message_id: UUID) -> str:
    """Return the id of the item that a message with a result is."""
    return f"fco_{message_id}"


def run_of(response: str) -> UUID | None:
    """Return the run that a response is."""
    return _own(response, "resp_")


def session_of(conversation: str) -> UUID | None:
    """Return the session that a conversation is."""
    return _own(conversation, "conv_")


def message_of(item: str) -> UUID | None:
    """Return the message that an item is of."""
    found = _ITEM.fullmatch(item)
    return _own(found[1], "") if found else None


def _own(name: str, prefix: str) -> UUID | None:
    try:
        own = UUID(name.removeprefix(prefix))
    except ValueError:
        return None
    return own if name == f"{prefix}{own}" else None
