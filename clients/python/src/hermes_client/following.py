"""The runs of an open session, put together from what arrives: facts, run events, and answers to ``session.open``.

Facts say which run is on, which messages it stores and how it ends; none of them is missing (``journal``). The answer
to ``session.open`` reflects them up to a cursor. It is applied once all of these have been told, and run events that
come after it are held until then: so everything is told in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from hermes_client.errors import HermesError
from hermes_client.run import Feed
from hermes_client.telling import Telling
from hermes_client.types import FactNotification, MessageShape, OpenResult, RunNotification, TurnShape


@dataclass(slots=True)
class Followed:
    """A run, as far as it was told. ``ended``: by the fact of this cursor, and no event of it has said so yet.

    ``began``: the fact that its turn began was told, so all of its messages will be. Else those are its own that were
    stored after the fact ``since``. ``asked`` is the message that it answers, where that is known.
    """

    telling: Telling
    feed: Feed = field(default_factory=Feed)
    began: bool = False
    since: int = 0
    asked: str = ""
    ended: tuple[int, TurnShape] | None = None

    def end(self) -> None:
        """Tell that it has ended, as the fact says."""
        if self.ended is not None:
            self.feed.add(self.telling.end(self.ended[1]["status"], self.ended[1]["error"]))


class Following:
    """The runs of one session. ``reopen()`` is called where something is missing: then open the session again."""

    def __init__(self, session_id: str, reopen: Callable[[], None]) -> None:
        self.running = ""  # the id of the run that is on
        self._session_id = session_id
        self._reopen = reopen
        self._runs: dict[str, Followed] = {}
        self._cursor = 0
        self._held: list[RunNotification] | None = None
        self._doubted: set[str] = set()
        self._asking = 0

    def run(self, run_id: str) -> Followed:
        """Return a run, from its beginning where it has not begun."""
        if run_id not in self._runs:
            self._runs[run_id] = Followed(Telling(self._session_id, run_id))
        return self._runs[run_id]

    def ask(self) -> None:
        """Note that a request is under way whose answer may name a run that has ended by then."""
        self._asking += 1

    def asked(self) -> None:
        """Note that it was answered."""
        self._asking -= 1
        self._let_go()

    def doubt(self, run_ids: Iterable[str] | None = None) -> None:
        """Note that facts of these runs, or of all, may be missing: what is stored says how they stand."""
        self._doubted |= set(self._runs if run_ids is None else run_ids)

    def hold(self, result: OpenResult) -> None:
        """Take the answer to ``session.open`` as it comes; `opened` follows when its facts have been told."""
        self._held = self._held or []
        if (running := result["run"]) is not None and not self.running:
            self.running = running["run_id"]
            run = self.run(self.running)
            run.since = result["cursor"]

    def opened(self, result: OpenResult) -> None:
        """Apply the answer to ``session.open``, and what was held."""
        self._cursor = result["cursor"]
        for run in self._runs.values():
            if run.ended is not None and run.ended[0] <= self._cursor:
                run.end()
        if (running := result["run"]) is not None:
            run = self.run(running["run_id"])
            run.feed.add(run.telling.resume(running))
        self._settle(result)
        held, self._held = self._held or [], None
        for notice in held:
            self.hear_event(notice)
        self._let_go()

    def hear_event(self, notice: RunNotification) -> None:
        """Take an event of a run."""
        if self._held is not None:
            self._held.append(notice)
            return
        run, event = self.run(notice["run_id"]), cast("dict[str, Any]", notice["event"])
        if run.telling.lacks(notice["seq"], event):
            self._held = [notice]
            self._reopen()
            return
        run.feed.add(run.telling.take(notice["seq"], event))
        self._let_go()

    def hear_fact(self, fact: FactNotification) -> None:
        """Take a fact of the session."""
        event = fact["event"]
        if event["name"] == "session.deleted":
            self.end("deleted", "The chat was deleted.")
        elif event["value"] is None:  # of what is deleted by now
            return
        elif event["name"] == "turn.began":
            self.running = event["value"]["run_id"]
            self.run(self.running).began = True
        elif event["name"] == "turn.ended":
            self._end(fact["cursor"], event["value"])
        elif event["name"] == "turn.withdrawn":
            run = self.run(event["value"]["run_id"])
            run.feed.add(run.telling.end("stopped", event["value"].get("error")))
        elif event["name"] == "message.created" and event["value"]["role"] != "user" and self.running:
            self._store(self.run(self.running), fact["cursor"], event["value"])
        self._let_go()

    def end(self, code: str, text: str) -> None:
        """End all runs: the session is gone."""
        for run in self._runs.values():
            run.feed.add(run.telling.fail(code, text))
        self._let_go()

    def lose(self, error: HermesError) -> None:
        """Tell all readers that nothing more comes."""
        for run in self._runs.values():
            run.feed.lose(error)

    def _store(self, run: Followed, cursor: int, message: MessageShape) -> None:
        if run.began or cursor > run.since:
            if message["role"] == "assistant":
                run.feed.message = message
            run.feed.add(run.telling.store(message))

    def _end(self, cursor: int, turn: TurnShape) -> None:
        """Note how a turn has ended. An event says so next, unless it had ended when the session was opened."""
        if (run := self._runs.get(turn["run_id"])) is None:
            return
        run.ended = cursor, turn
        if self.running == turn["run_id"]:
            self.running = ""
        if self._held is None and cursor <= self._cursor:
            run.end()

    def _settle(self, result: OpenResult) -> None:
        """End the doubted runs that are neither on nor queued, by what is stored of them."""
        alive = {entry["run_id"] for entry in result["queued"]} | (
            {result["run"]["run_id"]} if result["run"] else set()
        )
        for run_id in self._doubted - alive:
            run = self._runs.get(run_id)
            if run is not None and not run.feed.over and run.ended is None:
                self._end_by_messages(run, result["messages"])
                self.running = "" if self.running == run_id else self.running
        self._doubted.clear()

    def _end_by_messages(self, run: Followed, messages: list[MessageShape]) -> None:
        ids = [message["id"] for message in messages]
        if run.asked not in ids:
            run.feed.add(run.telling.fail("lost", "The answer is older than what can be told of it."))
            return
        asked = messages[ids.index(run.asked)]
        last = asked
        for message in messages[ids.index(run.asked) + 1 :]:
            if message["role"] == "user":
                break
            self._store(run, run.since + 1, last := message)
        error = last.get("error") or (asked.get("error") if last["role"] != "assistant" else None)
        run.feed.add(run.telling.end(last["status"], error))

    def _let_go(self) -> None:
        """Forget what has ended, unless somebody is about to ask for it."""
        if not self._asking:
            self._runs = {run_id: run for run_id, run in self._runs.items() if not run.feed.over}
