"""What must be so of every run that a client tells, however often its connection was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ag_ui.core import Event
from pydantic import TypeAdapter

_EVENT: TypeAdapter[Any] = TypeAdapter(Event)
_BEGIN, _PIECE, _END = ("START", "STARTED"), ("CONTENT", "ARGS", "RESULT"), ("END", "FINISHED")


def text_of(events: Sequence[dict[str, Any]]) -> list[str]:
    """Return the text of each message, in order."""
    texts: dict[str, str] = {}
    for event in events:
        if event["type"] == "TEXT_MESSAGE_CONTENT":
            texts[event["messageId"]] = texts.get(event["messageId"], "") + event["delta"]
    return list(texts.values())


def thoughts_of(events: Sequence[dict[str, Any]]) -> str:
    """Return what was told of the model's thoughts."""
    return "".join(event["delta"] for event in events if event["type"] == "REASONING_MESSAGE_CONTENT")


def check_run(events: Sequence[dict[str, Any]]) -> None:
    """Hold a run's events against AG-UI's types, and what begins against what ends."""
    for event in events:
        _EVENT.validate_python(event)
    types = [event["type"] for event in events]
    assert types[0] == "RUN_STARTED"
    assert types[-1] in ("RUN_FINISHED", "RUN_ERROR")
    assert types.count("RUN_STARTED") == types.count("RUN_FINISHED") + types.count("RUN_ERROR") == 1
    open_now: set[tuple[str, str]] = set()
    begun: set[tuple[str, str]] = set()
    for event in events[1:-1]:
        kind, _, part = event["type"].rpartition("_")
        key = (kind, event.get("toolCallId") or event.get("messageId") or event.get("stepName") or "")
        if part in _BEGIN:
            assert key not in begun, event
            begun.add(key)
            open_now.add(key)
        elif part == "RESULT":
            assert key in begun - open_now, event
        elif part in _PIECE:
            assert key in open_now, event
        else:
            assert part in _END, event
            open_now.remove(key)
    assert not open_now
