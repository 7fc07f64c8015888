"""Keep a run's events in AG-UI's order where some of them were missed, so that every client takes the stream.

A run that is followed from its first event on is in order by itself. One that is joined under way, or of which another
process's events were lost, lacks beginnings: what belongs to them is left out, and ``is_whole`` tells that the client
does not know all. What is still open when the run ends is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]

_ENDS = {
    "TEXT_MESSAGE_START": ("TEXT_MESSAGE_END", "messageId"),
    "TOOL_CALL_START": ("TOOL_CALL_END", "toolCallId"),
    "REASONING_START": ("REASONING_END", "messageId"),
    "REASONING_MESSAGE_START": ("REASONING_MESSAGE_END", "messageId"),
    "STEP_STARTED": ("STEP_FINISHED", "stepName"),
}
"""What begins something: what ends it, and the field that says which."""
_WITHIN = {
    "TEXT_MESSAGE_CONTENT": "TEXT_MESSAGE_END",
    "TOOL_CALL_ARGS": "TOOL_CALL_END",
    "REASONING_MESSAGE_CONTENT": "REASONING_MESSAGE_END",
}
_FIELDS = dict(_ENDS.values())
LAST = ("RUN_FINISHED", "RUN_ERROR")


class Grammar:
    """What is open on one stream. Lives as long as the request.

    ``is_whole``: the client was told all so far; ``lacks_result``: a result was left out, whose step is stored.
    """

    def __init__(self) -> None:
        self.is_whole = True
        self.lacks_result = False
        self._open: dict[tuple[str, str], Event] = {}
        self._calls: set[str] = set()
        self._length = 0

    def put(self, event: Event) -> Iterator[Event]:
        """Yield what is to be sent for an event, in order."""
        kind = event["type"]
        if kind in LAST:
            yield from self.close()
        if kind == "TEXT_MESSAGE_CONTENT":
            yield from self._begin_text(event)
        if self._fits(kind, event):
            yield event
        elif kind not in _FIELDS:
            self.is_whole = False
            self.lacks_result = self.lacks_result or kind == "TOOL_CALL_RESULT"

    def close(self) -> Iterator[Event]:
        """Yield the ends of all that is open, the innermost first."""
        while self._open:
            yield self._open.popitem()[1]

    def _fits(self, kind: str, event: Event) -> bool:
        """Tell whether an event has its place here, and take note of it."""
        if kind in _ENDS:
            return self._begin(kind, event)
        if kind in _FIELDS:
            return self._open.pop((kind, event[_FIELDS[kind]]), None) is not None
        if kind in _WITHIN:
            end = _WITHIN[kind]
            return (end, event[_FIELDS[end]]) in self._open
        # A result means nothing to who does not know the call.
        return kind != "TOOL_CALL_RESULT" or event["toolCallId"] in self._calls

    def _begin(self, kind: str, event: Event) -> bool:
        end, field = _ENDS[kind]
        key = (end, event[field])
        if key in self._open:
            return False
        self._open[key] = {"type": end, field: event[field]}
        if kind == "TOOL_CALL_START":
            self._calls.add(event[field])
        elif kind == "TEXT_MESSAGE_START":
            self._length = 0
        return True

    def _begin_text(self, event: Event) -> Iterator[Event]:
        """Begin the text that a piece belongs to, where that was missed."""
        start = {"type": "TEXT_MESSAGE_START", "messageId": event["messageId"], "role": "assistant"}
        if self._begin("TEXT_MESSAGE_START", start):
            yield start
        offset = (event.get("metadata") or {}).get("offset", self._length)
        self.is_whole = self.is_whole and offset == self._length
        self._length = offset + len(event["delta"])
