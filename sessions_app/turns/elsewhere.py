"""Turns and tabs in other processes: tell them what happens here, and learn what happens there.

Three ways lead from one process to another, and each covers for the one before. *Items* over
the relay arrive within milliseconds and may be lost. A *look* at the turns, once a second
(``keeper``), finds those that nobody has told of: of the running ones it asks the owners for the
rest, of the ended ones it tells the end, however short they were. The *rows* say what is so.

A session that is opened here while its turn runs elsewhere is answered with what the owner
says: this process receives the user's items already when it asks, the owner's answer takes the
same way as its events, so what comes after it is exactly what it lacks. The checkpoint serves
only where the owner says nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sessions_app import database
from sessions_app.models import Turn, TurnStatus
from sessions_app.shapes import RunShape
from sessions_app.turns import missed
from sessions_app.turns.heard import Heard
from sessions_app.turns.hub import Notification, fact
from sessions_app.turns.items import event_item, follow_item, notification_of
from sessions_app.turns.layer import Item, Layer
from sessions_app.turns.news import News
from sessions_app.turns.opening import Silent
from sessions_app.turns.recovery import LATELY, Over, Running
from sessions_app.turns.relay import Relay

if TYPE_CHECKING:
    from sessions_app.turns.runner import Runner

logger = logging.getLogger(__name__)

# Seconds that an owner has to say how far its run has come.
ASK_SECONDS = 1.0
# Seconds until the database is asked whether a run has ended that nobody told of.
LOOK_SECONDS = 1.0


def _user_of(group: str) -> int | None:
    kind, _, user_id = group.partition(".")
    return int(user_id) if kind == "user" else None


@dataclass(slots=True)
class _Followed:
    """A run elsewhere that somebody has open here; ``missing`` since so many looks."""

    user_id: int
    session_id: UUID
    missing: int = 0

    def end(self, turn: Turn | None) -> Notification:
        """Return what tells its end, by its row; without one the session is gone."""
        if turn is None:
            return fact(self.session_id, "session.deleted", str(self.session_id))
        return missed.end_of(turn)


def user_group(user_id: int) -> str:
    """Return the group of all processes that have a connection of a user."""
    return f"user.{user_id}"


class Elsewhere:
    """The other processes, as one process sees them. Lives as long as its runner."""

    def __init__(self, runner: Runner, process: str, layer: Layer | None) -> None:
        self._runner = runner
        self.relay = Relay(layer, process, receive=self._receive, lost=self._lost)
        self.news = News()
        self._asked: dict[str, asyncio.Future[RunShape | None]] = {}
        self._ends: dict[UUID, asyncio.Event] = {}
        # Runs elsewhere that are open here, and since how many looks they are gone.
        self._followed: dict[UUID, _Followed] = {}
        self._mending: set[asyncio.Task[None]] = set()
        self._heard = Heard()

    def tell(self, user_id: int, notification: Notification) -> None:
        """Tell the user's other processes."""
        self.relay.send(user_group(user_id), event_item(user_id, notification))

    async def ask(self, process: str, user_id: int, session_id: UUID) -> RunShape | None:
        """Return the session's run as its owner knows it, and follow it. Raises Silent."""
        if self.relay.alone:
            raise Silent
        await self.heard(user_id)
        request = uuid4().hex
        future: asyncio.Future[RunShape | None] = asyncio.get_running_loop().create_future()
        self._asked[request] = future
        self.relay.send(process, {"kind": "ask", "request": request, "user": user_id, "session": str(session_id)})
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await future
        except TimeoutError:
            raise Silent from None
        finally:
            self._asked.pop(request, None)

    def stop(self, turn: Turn) -> None:
        """Tell the owner of a turn that its row asks for an end; else its next heartbeat would."""
        self.relay.send(turn.process, {"kind": "stop", "session": str(turn.chat_session_id), "run": str(turn.run_id)})

    async def wait_for_end(self, run_id: UUID) -> None:
        """Return when the end of a run is heard of, or when it is time to look."""
        event = self._ends.setdefault(run_id, asyncio.Event())
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._ends.pop(run_id, None)

    async def look(self, running: Iterable[Running], over: Iterable[Over]) -> None:
        """Compare what was heard with the turns that run, and have ended, elsewhere, by the database."""
        if missed := self._heard.missed(over, self._runner.hub.connections):
            self._mend(missed, LATELY.total_seconds())
        # Not what this process has just begun, after its own runs were listed.
        there = {run.run_id: run for run in running if run.process != self._runner.process}
        for run in there.values():
            if self._runner.hub.is_open(run.owner_id, run.session_id):
                self._followed[run.run_id] = _Followed(run.owner_id, run.session_id)
                self.relay.send(run.process, follow_item(run.session_id, run.run_id))
        gone = [run_id for run_id in self._followed if run_id not in there]
        for run_id in gone:
            self._followed[run_id].missing += 1
        # Twice, because an end that was just stored is just being told.
        if unheard := [run_id for run_id in gone if self._followed[run_id].missing > 1]:
            await self._tell_ends(unheard)

    async def _tell_ends(self, run_ids: Collection[UUID]) -> None:
        ended = await database.read(_ended_turns, run_ids)
        for run_id in run_ids:
            if (followed := self._followed.pop(run_id, None)) is not None:
                self._heard.end_of(run_id)
                self._runner.hub.deliver(followed.user_id, followed.end(ended.get(run_id)))

    def expect_end(self, user_id: int, session_id: UUID, run_id: UUID) -> None:
        """Note that a run elsewhere was shown here, so that its end will be told, heard or not."""
        self._followed.setdefault(run_id, _Followed(user_id, session_id))

    def over(self, run_id: UUID) -> None:
        """Note that the end of a run is known to the connections of this process."""
        self._heard.end_of(run_id)
        self._followed.pop(run_id, None)
        if (event := self._ends.pop(run_id, None)) is not None:
            event.set()

    def came(self, user_id: int) -> None:
        """Hear what is told a user, who has a connection here now."""
        self.relay.join(user_group(user_id))

    async def heard(self, user_id: int) -> None:
        """Return when what other processes tell the user arrives here."""
        await self.relay.joined(user_group(user_id))

    def left(self, user_id: int) -> None:
        """Hear it no more."""
        self.relay.leave(user_group(user_id))

    def _lost(self, seconds: float) -> None:
        """Tell this process's users again what they may have missed."""
        self._mend(self._runner.hub.users, seconds)

    def _mend(self, user_ids: Collection[int], seconds: float) -> None:
        task = asyncio.create_task(self._tell_again(user_ids, seconds))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def _tell_again(self, user_ids: Collection[int], seconds: float) -> None:
        began = asyncio.get_running_loop().time()
        while True:
            since = seconds + asyncio.get_running_loop().time() - began
            try:
                facts = await database.read(missed.told_since, user_ids, since)
                break
            except Exception:
                logger.exception("what was missed cannot be read; it is tried again")
                await asyncio.sleep(LOOK_SECONDS)
        for user_id, notification in facts:
            if self.news.is_news(user_id, notification):
                self._runner.hub.deliver(user_id, notification)

    def _receive(self, sender: str, item: Item) -> None:
        """Take what another process has sent."""
        match item["kind"]:
            case "event":
                self._hear(sender, item["user"], notification_of(item))
            case "ask":
                self._answer(item["request"], item["user"], UUID(item["session"]))
            case "shape":
                if (future := self._asked.pop(item["request"], None)) is not None and not future.done():
                    future.set_result(item["run"] and RunShape.model_validate(item["run"]))
            case "follow":
                if (run := self._runner.run_of(UUID(item["session"]))) is not None:
                    run.feed.follow()
            case "stop":
                run = self._runner.run_of(UUID(item["session"]))
                if run is not None and str(run.turn.run_id) == item["run"]:
                    run.stop("stopped")
            case "lost" if (user_id := _user_of(item["group"])) is not None:
                self._mend([user_id], item["seconds"])

    def _hear(self, sender: str, user_id: int, notification: Notification) -> None:
        run_id = notification.run_id
        if run_id is None and not self.news.is_news(user_id, notification):
            return
        if run_id is not None:
            if notification.last:
                self.over(run_id)
                self._lose(notification.session_id, run_id)
            elif self._runner.hub.is_open(user_id, notification.session_id):
                self.expect_end(user_id, notification.session_id, run_id)
                if notification.seq == 1:
                    self.relay.send(sender, follow_item(notification.session_id, run_id))
        self._runner.hub.deliver(user_id, notification)

    def _lose(self, session_id: UUID, run_id: UUID) -> None:
        """Another process has ended a run: if it was ours, we were silent for too long."""
        run = self._runner.run_of(session_id)
        if run is not None and run.turn.run_id == run_id:
            run.stop("lost")

    def _answer(self, request: str, user_id: int, session_id: UUID) -> None:
        run = self._runner.run_of(session_id)
        if run is not None and run.turn.owner_id != user_id:
            return
        if run is not None:
            run.feed.follow()
        shape = run.stream.shape().model_dump(mode="json") if run else None
        self.relay.send(user_group(user_id), {"kind": "shape", "request": request, "run": shape})


def _ended_turns(run_ids: Collection[UUID]) -> dict[UUID, Turn]:
    ended = Turn.objects.filter(run_id__in=run_ids).exclude(status=TurnStatus.RUNNING)
    return {turn.run_id: turn for turn in ended.defer("text", "checkpoint")}
