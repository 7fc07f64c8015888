"""Runs of other processes that clients of this one have open.

The process of a run sends its events to the user's processes that *watch* the session: this process says so when
somebody opens the session, and again from time to time (``feed``). A run is known here from its first event on, or from
the fact that its turn began. Then, and once a second, its process is asked to repeat what is missing, and sends what it
still has (some seconds). Events are taken strictly by ``seq``, so nothing is doubled. Where some are missing even so,
because a message was lost or Redis is away, the run's checkpoint in the database brings the text on: it says up to
which ``seq`` it is the whole, and it is at most a second old. Nobody has to answer anything for that.

The end of a run is a fact like any other (``delivery``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from ag_ui.core import BaseEvent, TextMessageContentEvent, TextMessageStartEvent

from sessions_app import database
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.journal import Fact
from sessions_app.models import FactName, Turn, TurnStatus
from sessions_app.realtime.bus import Bus, Message, group_of
from sessions_app.realtime.delivery import Delivery
from sessions_app.realtime.feed import WATCH_SECONDS
from sessions_app.realtime.notices import RunNotice, run_notice

# Seconds without an event after which the checkpoint is looked at.
SILENT_SECONDS = 1.0


@dataclass(slots=True)
class RemoteRun:
    """A run elsewhere, as far as it is known here: ``text`` of the message ``message_id`` is what events up to ``seq``
    say.

    ``began`` is the cursor of the fact that its turn began; of one that somebody opened, the cursor by which it had.
    """

    owner_id: int
    session_id: UUID
    run_id: UUID
    process: str
    message_id: UUID
    text: list[str] = field(default_factory=list)
    seq: int = 0
    began: int = 0
    heard_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @property
    def length(self) -> int:
        """Characters of the text."""
        return sum(map(len, self.text))

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come for so long that it may be lost."""
        return self.heard_at < asyncio.get_running_loop().time() - SILENT_SECONDS

    def shape(self) -> RunShape:
        """Return the run as session.open answers it."""
        self.text = ["".join(self.text)]
        return RunShape(run_id=self.run_id, message_id=self.message_id, text=self.text[0], seq=self.seq)

    def begin_message(self, message_id: UUID) -> None:
        """Go on with another answer: the one before is stored."""
        self.message_id, self.text = message_id, []


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the database has of a running turn's answer: its text, whole up to the event ``seq``."""

    run_id: UUID
    message_id: UUID
    text: str
    seq: int

    def shape(self) -> RunShape:
        """Return the run as session.open answers it."""
        return RunShape(run_id=self.run_id, message_id=self.message_id, text=self.text, seq=self.seq)


class RemoteRuns:
    """The runs elsewhere that are open here. Lives as long as its runner."""

    def __init__(self, process: str, bus: Bus, delivery: Delivery) -> None:
        self._process = process
        self._bus = bus
        self._delivery = delivery
        self._runs: dict[UUID, RemoteRun] = {}
        self._watch_at = 0.0

    def watch(self, user_id: int, session_ids: Iterable[UUID]) -> None:
        """Tell the user's other processes that sessions are open here."""
        self._bus.send(group_of(user_id), {"kind": "watch", "sessions": [str(each) for each in session_ids]})

    def hear(self, fact: Fact) -> None:
        """Take a fact of a user of this process: one that began elsewhere in an open session is known from here on."""
        if fact.subject is None or fact.session_id is None:
            return
        if fact.name == FactName.TURN_BEGAN and fact.process not in ("", self._process):
            if self._delivery.subscriptions.is_open(fact.owner_id, fact.session_id):
                message_id = fact.value.message_id if fact.value is not None else fact.subject
                run = RemoteRun(
                    fact.owner_id, fact.session_id, fact.subject, fact.process, message_id, began=fact.cursor
                )
                self._ask_to_repeat(self._runs.setdefault(run.run_id, run))
        elif fact.name == FactName.TURN_ENDED:
            self._runs.pop(fact.subject, None)

    def opened(self, turn: Turn, checkpoint: Checkpoint, cursor: int) -> RunShape:
        """Return how far a run elsewhere has come, for a client that opens its session; the rest is asked for.

        The fact that its turn began, which ``cursor`` reflects, may be still to come for the others.
        """
        run = self._runs.get(turn.run_id)
        if run is None:
            run = RemoteRun(turn.owner_id, turn.chat_session_id, turn.run_id, turn.process, checkpoint.message_id)
            run.text, run.seq, run.began = [checkpoint.text], checkpoint.seq, cursor
            self._runs[turn.run_id] = run
        self._ask_to_repeat(run)
        if run.seq < checkpoint.seq:
            if run.is_silent or not self._bus.is_linked:
                self._catch_up(run, checkpoint)
            elif not run.length or run.message_id != checkpoint.message_id:
                # What lies between is on its way to the others here, who wait for it.
                return checkpoint.shape()
        return run.shape()

    def take(self, message: Message) -> None:
        """Take an event that the process of a run has sent."""
        run = self._runs.get(UUID(message["run"])) or self._first_heard_of(message)
        if run is None or message["seq"] != run.seq + 1:
            return
        run.seq, run.heard_at = message["seq"], asyncio.get_running_loop().time()
        if message["delta"]:
            # Not before its first word: until then the one before is the last that was said.
            if message["message"] != str(run.message_id):
                run.begin_message(UUID(message["message"]))
            run.text.append(message["delta"])
        self._deliver(run, RunNotice(run.session_id, run.run_id, run.seq, run.began, message["text"]))

    def _first_heard_of(self, message: Message) -> RemoteRun | None:
        """Return a run by its first event, which is here before the fact that its turn began.

        None where that fact was told already: the run has ended since, or nobody had its session open.
        """
        if message["seq"] != 1 or self._delivery.has_told(message["user"], message["began"]):
            return None
        run_id, session_id, answer_id = (UUID(message[key]) for key in ("run", "session", "message"))
        if not self._delivery.subscriptions.is_open(message["user"], session_id):
            return None
        run = RemoteRun(message["user"], session_id, run_id, message["process"], answer_id, began=message["began"])
        self._runs[run_id] = run
        return run

    async def poll(self) -> None:
        """Ask for what is missing of open sessions' runs, forget the others, and bring on what stands still."""
        self._watch_again()
        for run in list(self._runs.values()):
            if self._delivery.subscriptions.is_open(run.owner_id, run.session_id):
                self._ask_to_repeat(run)
            else:
                del self._runs[run.run_id]
        silent = [run.run_id for run in self._runs.values() if run.is_silent]
        if silent:
            await self._bring_on(silent)

    async def _bring_on(self, silent: Iterable[UUID]) -> None:
        checkpoints = {each.run_id: each for each in await database.SUPERVISOR.read(_checkpoints, silent)}
        for run_id in silent:
            run, checkpoint = self._runs.get(run_id), checkpoints.get(run_id)
            if checkpoint is None:
                # It has ended. Who opened it as that was told has told nobody to forget it.
                self._runs.pop(run_id, None)
            elif run is not None and run.seq < checkpoint.seq:
                self._catch_up(run, checkpoint)

    def _watch_again(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._watch_at:
            return
        self._watch_at = now + WATCH_SECONDS
        open_here = sorted(self._delivery.subscriptions.open_sessions)
        for user_id, sessions in groupby(open_here, itemgetter(0)):
            self.watch(user_id, [session_id for _, session_id in sessions])

    def _ask_to_repeat(self, run: RemoteRun) -> None:
        self._bus.send(
            run.process, {"kind": "repeat", "run": str(run.run_id), "session": str(run.session_id), "after": run.seq}
        )

    def _catch_up(self, run: RemoteRun, checkpoint: Checkpoint) -> None:
        """Show what the checkpoint has and this run lacks: one delta stands for those that are missing.

        A client that counts finds a gap in ``seq``, and opens the session again.
        """
        if checkpoint.message_id != run.message_id:
            run.begin_message(checkpoint.message_id)
        known, run.seq = run.length, checkpoint.seq
        run.text = [checkpoint.text]
        for back, event in _events(run.message_id, known, checkpoint.text[known:]):
            self._deliver(run, run_notice(run.session_id, run.run_id, run.seq - back, event, began=run.began))

    def _deliver(self, run: RemoteRun, notice: RunNotice) -> None:
        self._delivery.run_event(run.owner_id, notice)


def _events(message_id: UUID, offset: int, delta: str) -> Iterator[tuple[int, BaseEvent]]:
    """Yield the events that say a delta, each with how far its number is before the last one's."""
    if delta and not offset:
        yield 1, TextMessageStartEvent(message_id=str(message_id), role="assistant")
    if delta:
        metadata: dict[str, Any] = {"offset": offset}
        yield 0, TextMessageContentEvent(message_id=str(message_id), delta=delta, metadata=metadata)


def checkpoint_of(turn: Turn) -> Checkpoint:
    """Return what a turn's row has of its answer."""
    return Checkpoint(turn.run_id, turn.answer_id, turn.checkpoint, turn.checkpoint_seq)


def _checkpoints(run_ids: Iterable[UUID]) -> list[Checkpoint]:
    running = Turn.objects.filter(run_id__in=run_ids, status=TurnStatus.RUNNING)
    return [checkpoint_of(turn) for turn in running]
