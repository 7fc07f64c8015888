"""What commands ask of turns and sessions, wherever a turn runs: start, stop, delete, open.

``door`` is the caller's way to the database everywhere here: it makes sure that the caller may still act, and what it
raises goes to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sessions_app import database
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.conversations.schemas import MessageShape
from sessions_app.conversations.session_schemas import SessionShape
from sessions_app.database import Door
from sessions_app.errors import Conflict
from sessions_app.files import clearing
from sessions_app.files.brought import Keep, keep_none, kept_first
from sessions_app.models import Turn, TurnStatus
from sessions_app.realtime.publishing import Publisher
from sessions_app.realtime.remote_runs import RemoteRuns, checkpoint_of
from sessions_app.realtime.subscriptions import Opened, Subscription
from sessions_app.turn_store import (
    asking,
    branching,
    compacting,
    continuing,
    deciding,
    deleting,
    recognising,
    resuming,
    threads,
)
from sessions_app.turn_store.branching import BranchedTurn
from sessions_app.turn_store.brought_sessions import Moved
from sessions_app.turn_store.deciding import GivenDecision
from sessions_app.turn_store.ending import status_of
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.opening import read_until
from sessions_app.turn_store.recognising import Found, Heard
from sessions_app.turn_store.repeats import UNMARKED, Sent, sent_before
from sessions_app.turn_store.resuming import CallResult
from sessions_app.turn_store.threads import ThreadRequest, ThreadRun
from sessions_app.turns.launcher import Launcher
from sessions_app.turns.registry import RunRegistry
from sessions_app.turns.stopping import LOOKS as STOP_LOOKS
from sessions_app.turns.stopping import Stopping

R = TypeVar("R")

# Times that a conversation's place is looked for anew, because it has moved.
LOOKS = 5


class TurnService:
    """The commands of this process's clients. Lives as long as the process.

    ``silence`` (seconds) is after what time a silent process is dead.
    """

    def __init__(
        self,
        registry: RunRegistry,
        publisher: Publisher,
        launcher: Launcher,
        remote: RemoteRuns,
        stopping: Stopping,
        *,
        silence: float,
    ) -> None:
        self._registry = registry
        self._publisher = publisher
        self._launcher = launcher
        self._remote = remote
        self._stopping = stopping
        self._silence = silence
        self.tidying = clearing.Tidying()

    async def start_turn(
        self,
        user_id: int,
        session_id: UUID,
        text: str,
        message_id: UUID | None,
        *,
        revision: int | None = None,
        files: Sequence[UUID] = (),
        door: Door = database,
    ) -> AcceptedTurn:
        """Store a turn and run it here, or queue it. Raises NotFound, Conflict, TooMany."""
        ask = partial(asking.ask, user_id, session_id, text, message_id, revision=revision, files=files)
        return await self._launcher.run_shielded(self._begin(door, ask, lambda asked: asked))

    async def converse(
        self,
        user_id: int,
        heard: Heard,
        sampling: dict[str, Any] | None,
        *,
        sent: Sent = UNMARKED,
        look: Callable[[int, Heard], Found] = recognising.find,
        keep: Keep = keep_none,
        door: Door = database,
    ) -> AcceptedTurn:
        """Answer a conversation that a program has sent, in the session that holds it, or in a new one.

        ``look`` finds the place where it goes on; ``keep`` adds those of its files that are new. Raises NotFound,
        Conflict, TooLarge, TooMany.
        """
        if sent.may_be_again and (before := await door.read(sent_before, user_id, sent)) is not None:
            return before

        async def say(found: Found) -> AcceptedTurn:
            ask = partial(continuing.say, user_id, heard, found, sampling, sent)
            return await kept_first(
                lambda: self._launcher.run_shielded(self._begin(door, ask, lambda asked: asked)), keep
            )

        found = Found()
        for _ in range(LOOKS):
            found = await door.read(look, user_id, heard)
            with suppress(Moved):
                return await say(found)
        if found.is_named:
            raise Conflict("This conversation goes on all the time elsewhere. Try again in a moment.")
        # Others are always faster: it is no conversation of theirs.
        return await say(Found(origin=found.origin))

    async def resume(
        self,
        user_id: int,
        session_id: UUID,
        results: Sequence[CallResult],
        sampling: dict[str, Any] | None = None,
        *,
        door: Door = database,
    ) -> AcceptedTurn:
        """Go on with an answer whose calls have waited for these results of its client.

        Raises NotFound, BadInput, Conflict, TooLarge, TooMany.
        """
        ask = partial(resuming.resume, user_id, session_id, results, sampling)
        return await self._stopping.before(
            lambda: self._launcher.run_shielded(self._begin(door, ask, lambda asked: asked))
        )

    async def decide(
        self, user_id: int, session_id: UUID, decisions: Sequence[GivenDecision], *, door: Door = database
    ) -> AcceptedTurn:
        """Go on with an answer whose calls have waited for a person. Raises NotFound, BadInput, Conflict, TooMany."""
        ask = partial(deciding.decide, user_id, session_id, decisions)
        return await self._stopping.before(
            lambda: self._launcher.run_shielded(self._begin(door, ask, lambda asked: asked))
        )

    async def run_thread(
        self, user_id: int, request: ThreadRequest, *, keep: Keep = keep_none, door: Door = database
    ) -> ThreadRun:
        """Begin the run that a client asks for in a thread of its own, or find it; ``keep`` adds files that are new.

        Raises NotFound, WrongKind, Conflict, TooLarge, TooMany.
        """
        take = partial(threads.take, user_id, request)
        for _ in range(LOOKS):
            with suppress(Moved):
                return await kept_first(
                    lambda: self._stopping.before(
                        lambda: self._launcher.run_shielded(self._begin(door, take, lambda run: run.asked))
                    ),
                    keep,
                )
        raise Conflict("This thread cannot be gone on with now. Try again in a moment.")

    async def regenerate(
        self,
        user_id: int,
        session_id: UUID,
        message_id: UUID | None,
        *,
        profile_id: int | None = None,
        door: Door = database,
    ) -> BranchedTurn:
        """Ask for another answer. Raises NotFound, WrongKind, Conflict, TooMany."""
        return await self._steer(door, partial(branching.regenerate, user_id, session_id, message_id, profile_id))

    async def edit_message(
        self,
        user_id: int,
        message_id: UUID,
        text: str,
        new_id: UUID | None,
        files: Sequence[UUID] | None = None,
        *,
        door: Door = database,
    ) -> BranchedTurn:
        """Say something in the place of a message. Raises NotFound, WrongKind, Conflict, TooMany."""
        return await self._steer(door, partial(branching.edit, user_id, message_id, text, new_id, files))

    async def select_branch(
        self, user_id: int, message_id: UUID, limit: int, *, door: Door = database
    ) -> tuple[SessionShape, list[MessageShape], bool]:
        """Show the line that a message is part of. Raises NotFound, Conflict."""
        return await self._stopping.before(
            lambda: self._publisher.write(door, branching.select, user_id, message_id, limit)
        )

    async def compact(self, user_id: int, session_id: UUID, *, door: Door = database) -> AcceptedTurn:
        """Have the earlier part of a chat summarised. Raises NotFound, Conflict, TooMany."""
        ask = partial(compacting.ask, user_id, session_id)
        return await self._stopping.before(
            lambda: self._launcher.run_shielded(self._begin(door, ask, lambda asked: asked))
        )

    async def write_summary(self, user_id: int, session_id: UUID, text: str, *, door: Door = database) -> None:
        """Make a person's text the summary. Raises NotFound, Conflict, TooLarge, TooMany."""
        await self._stopping.before(lambda: self._publisher.write(door, compacting.write, user_id, session_id, text))

    async def undo_summary(self, user_id: int, session_id: UUID, *, door: Door = database) -> None:
        """Have the whole chat used again. Raises NotFound, Conflict."""
        await self._stopping.before(lambda: self._publisher.write(door, compacting.undo, user_id, session_id))

    async def _steer(self, door: Door, work: Callable[..., BranchedTurn]) -> BranchedTurn:
        return await self._stopping.before(
            lambda: self._launcher.run_shielded(self._begin(door, work, lambda branched: branched.asked))
        )

    async def _begin(self, door: Door, work: Callable[..., R], asked_of: Callable[[R], AcceptedTurn | None]) -> R:
        """Carry out what may begin a turn for this process, and run that."""
        process, accepting = self._registry.process, self._launcher.accepting
        with self._launcher.starts.under_way():
            result = await self._publisher.write(door, work, process=process, accepting=accepting)
        asked = asked_of(result)
        if asked is not None and asked.begun is not None:
            self._launcher.launch(asked.begun)
        return result

    async def stop_turn(self, user_id: int, session_id: UUID, run_id: UUID | None, *, door: Door = database) -> bool:
        """Stop a running turn, or withdraw a queued one; False where it had ended already. Raises NotFound."""
        found = await self._publisher.write(door, asking.stop, user_id, session_id, run_id)
        if found.running is None:
            return found.withdrawn is not None
        for _ in range(STOP_LOOKS):
            await self._stopping.stop(found.running)
            status = await database.of(user_id).read(status_of, found.running.pk)
            if status != TurnStatus.RUNNING:
                return status == TurnStatus.STOPPED
        return True  # it is asked for, and done when its process, or one that takes over, reads the row

    async def delete_session(self, user_id: int, session_id: UUID, *, door: Door = database) -> None:
        """End the session's run and delete it whole; its files' bytes are removed beside that.

        Raises NotFound, Conflict.
        """
        given_up = self._registry.given_up
        asked = user_id, session_id, self._silence, given_up
        while isinstance(running := await self._publisher.write(door, deleting.delete, *asked), Turn):
            if (run := self._registry.get(session_id)) is not None:
                run.takes_next = False
            await self._stopping.stop(running)
        self.tidying.begin()

    async def open_session(
        self, session_id: UUID, subscription: Subscription, limit: int, *, door: Door = database
    ) -> dict[str, Any]:
        """Open a session for a connection, and return what is answered. Raises NotFound.

        The connection holds what arrives meanwhile, until it has queued the answer.
        """
        user_id = subscription.user_id
        with subscription.opening(session_id):
            snapshot = await read_until(door, user_id, session_id, limit, self._registry.agrees)
            run = self._shape_of(snapshot.running, snapshot.cursor)
            subscription.open(session_id, Opened(snapshot.cursor, run.run_id if run else None, run.seq if run else 0))
            self._remote.watch(user_id, [session_id])
        return snapshot.result(run)

    def follow(self, session_id: UUID, subscription: Subscription) -> None:
        """Have a connection receive whole each run of a session that it is told of from here on."""
        subscription.open(session_id, Opened(0, None, 0))
        self._remote.watch(subscription.user_id, [session_id])

    def _shape_of(self, turn: Turn | None, cursor: int) -> RunShape | None:
        """Return how far a running turn has come, as far as this process knows; by ``cursor`` it had begun."""
        if turn is None:
            return None
        if (run := self._registry.of(turn)) is not None:
            return run.stream.shape()
        stored = checkpoint_of(turn)
        if turn.process != self._registry.process:
            return self._remote.opened(turn, stored, cursor)
        return stored.shape()
