"""What a client that follows the contract, and does nothing more, knows of a session that it has opened.

Made from the answer of session.open and from the notifications after it. Where something before an event is missing,
`take` says so, and the client has to open the session again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Said:
    """A message; of an answer that was only heard, the position is not known."""

    id: str
    role: str
    text: str
    status: str
    position: int | None = None


@dataclass(slots=True)
class Running:
    """The running answer, up to the event `seq`."""

    run_id: str
    message_id: str | None
    text: str
    seq: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as somebody sees it: (id, role, text, status) of each message, run ids of what runs and what waits."""

    messages: tuple[tuple[str, str, str, str], ...]
    run: str | None
    queued: tuple[str, ...]

    def same(self, other: Shown) -> bool:
        """Whether both see the same; the place of an answer that was only heard is not told."""
        return sorted(self.messages) == sorted(other.messages) and (self.run, self.queued) == (other.run, other.queued)

    def __str__(self) -> str:
        said = (f"{role} {id_[:8]} {text[:30].strip()}… ({len(text)}) {how}" for id_, role, text, how in self.messages)
        return f"{', '.join(said)}; runs: {self.run}, waits: {', '.join(self.queued)}"


@dataclass(slots=True)
class View:
    """One session, as one tab sees it. `repeated` counts the events that came again."""

    messages: list[Said] = field(default_factory=list)
    run: Running | None = None
    queued: list[Json] = field(default_factory=list)
    gone: bool = False
    opened: bool = False
    repeated: int = 0
    _ended: set[str] = field(default_factory=set)

    def adopt(self, opened: Json) -> None:
        """Take in the answer of session.open."""
        self.messages = [_said(message) for message in opened["messages"]]
        run = opened["run"]
        self.run = Running(run["run_id"], run["message_id"], run["text"], run["seq"]) if run else None
        if self.run:
            self._ended.discard(self.run.run_id)
        self.queued = opened["queued"]
        self.opened = True

    @property
    def known(self) -> bool:
        """Whether the server has said anything of the session."""
        return self.opened or self.gone

    def shown(self) -> Shown:
        """What there is to compare."""
        messages = tuple((said.id, said.role, said.text, said.status) for said in self.messages)
        return Shown(messages, self.run.run_id if self.run else None, tuple(entry["run_id"] for entry in self.queued))

    def take(self, params: Json) -> bool:
        """Take in a notification; False where the session has to be opened again."""
        event = params["event"]
        if event["type"] == "CUSTOM":
            self._fact(event["name"], event["value"])
            return bool(event["name"] != "branch.selected")  # what is shown is another line
        return self._run_event(params["run_id"], params["seq"], event)

    def _fact(self, name: str, value: Any) -> None:
        if value is None:
            return  # of what has been deleted since
        match name:
            case "message.created":
                self._add(_said(value))
            case "turn.queued":
                known = {entry["run_id"] for entry in self.queued}
                begun = {said.id for said in self.messages}
                if value["run_id"] not in known and value["message_id"] not in begun:
                    self.queued.append(value)
            case "turn.withdrawn" | "turn.began":  # a new version of an answer brings no message of the user's
                self.queued = [entry for entry in self.queued if entry["run_id"] != value["run_id"]]
            case "session.deleted":
                self.gone = True

    def _add(self, said: Said) -> None:
        self.queued = [entry for entry in self.queued if entry["message_id"] != said.id]
        assert said.position is not None
        self.messages = [known for known in self.messages if known.id != said.id]
        later = (i for i, known in enumerate(self.messages) if (known.position or -1) > said.position)
        self.messages.insert(next(later, len(self.messages)), said)

    def _run_event(self, run_id: str, seq: int | None, event: Json) -> bool:
        if run_id in self._ended:
            self.repeated += 1
            return True
        if event["type"] == "RUN_STARTED" and self.run is None:
            self.run = Running(run_id, None, "", 0)
        if seq is None:  # the owner died: nobody knows how far it came
            self._end(run_id)
            return False
        if self.run is None or self.run.run_id != run_id:
            return False
        if seq <= self.run.seq:
            self.repeated += 1
            return True
        if seq != self.run.seq + 1 or not self._continue(self.run, event):
            return False
        if self.run:
            self.run.seq = seq
        return True

    def _continue(self, run: Running, event: Json) -> bool:
        match event["type"]:
            case "TEXT_MESSAGE_START":
                run.message_id, run.text = event["messageId"], ""
            case "TEXT_MESSAGE_CONTENT":
                if event["metadata"]["offset"] != len(run.text):
                    return False
                run.text += event["delta"]
            case "RUN_FINISHED":
                cancelled = event["outcome"]["type"] == "cancelled"
                self._answered(run, "stopped" if cancelled else "complete")
            case "RUN_ERROR":
                self._answered(run, "interrupted" if event["code"] == "interrupted" else "failed")
        return True

    def _answered(self, run: Running, status: str) -> None:
        # The stored answer was told before; where that was missed, what was heard stands for it.
        if run.text and not any(known.id == run.message_id for known in self.messages):
            assert run.message_id
            self.messages.append(Said(run.message_id, "assistant", run.text, status))
        self._end(run.run_id)

    def _end(self, run_id: str) -> None:
        self._ended.add(run_id)
        if self.run and self.run.run_id == run_id:
            self.run = None


def _said(message: Json) -> Said:
    return Said(*(message[name] for name in ("id", "role", "text", "status", "position")))
