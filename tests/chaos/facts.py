"""What a client knows from facts alone, applied by cursor: each once, none missing, however often it was away.

On one connection cursors rise by one. After a connection was lost the client asks `events.since` with its last cursor,
and what is notified meanwhile waits for that answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.view import Json


@dataclass(slots=True)
class Known:
    """A user's sessions: titles, the ids of their messages, and how their turns stand."""

    titles: dict[str, str] = field(default_factory=dict)
    messages: dict[str, set[str]] = field(default_factory=dict)
    turns: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Facts:
    """The facts that one client has; `faults` are what went against the contract."""

    cursor: int = 0
    known: Known = field(default_factory=Known)
    faults: list[str] = field(default_factory=list)
    _notified: int | None = None
    _ahead: dict[int, Json] = field(default_factory=dict)

    def connected(self) -> None:
        """Begin with another connection."""
        self._notified = None

    def notified(self, params: Json) -> bool:
        """Take a fact that was notified; False where `events.since` has to be asked."""
        cursor: int = params["cursor"]
        if self._notified is not None and cursor != self._notified + 1:
            self.faults.append(f"fact {cursor} was notified after {self._notified}")
        self._notified = cursor
        self._ahead[cursor] = params
        self._advance()
        return self.cursor >= cursor

    def answered(self, since: Json) -> bool:
        """Take the answer of `events.since`; False where there is more."""
        if since["reset"]:
            self.faults.append(f"reset after {self.cursor}")
        for params in since["events"]:
            self._ahead.setdefault(params["cursor"], params)
        self._advance()
        return not since["has_more"]

    def _advance(self) -> None:
        for cursor in [each for each in self._ahead if each <= self.cursor]:
            del self._ahead[cursor]
        while (params := self._ahead.pop(self.cursor + 1, None)) is not None:
            self.cursor += 1
            self._apply(params["session_id"], params["event"]["name"], params["event"]["value"])

    def _apply(self, session_id: str, name: str, value: Json | None) -> None:
        known = self.known
        if name == "session.deleted":
            for part in (known.titles, known.messages, known.turns):
                part.pop(session_id, None)
        elif value is None:
            return  # its deletion follows
        elif name in ("session.created", "session.updated"):
            known.titles[session_id] = value["title"]
        elif name == "message.created":
            known.messages.setdefault(session_id, set()).add(value["id"])
        elif name in ("turn.began", "turn.ended"):
            known.turns.setdefault(session_id, {})[value["run_id"]] = value["status"]
        elif name in ("turn.queued", "turn.withdrawn"):
            status = name.removeprefix("turn.")
            known.turns.setdefault(session_id, {})[value["run_id"]] = status
