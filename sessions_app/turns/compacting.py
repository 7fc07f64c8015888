"""Make room in the model's window: put a summary in the place of the earlier part of a turn's transcript.

Before each request it is estimated whether that fits. Where it does not, what came before the message that the turn
answers is summarised, by the model itself and as the next message of the warm conversation: all of it is in the
provider's cache, and only the instruction is new. Where even that is too long, the longest beginning that fits is
summarised first. Where nothing is left before the message, the turn's own earlier steps are, and the message itself is
sent on behind the summary.

Why nothing is lost by it:

1. The request for a summary is made of a copy: the transcript in memory stays what it was until the summary is stored.
2. It is stored fenced by the turn's claim and by the stamp of what it was made of (``turn_store.compacting``). A
   foreign write meanwhile discards it; then the transcript is read again, and whether it fits is asked once more.
3. From then on the transcript is read from the database, like any that somebody else has changed.

A summary that fails, however, changes nothing: the turn ends with an error that says what to do, or goes on without
one where it fits as it is.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from uuid import UUID

from sessions_app import database
from sessions_app.conversations import windows
from sessions_app.llm.agent import Agent
from sessions_app.llm.content.rows import Row
from sessions_app.llm.content.summaries import INSTRUCTION
from sessions_app.llm.context import bytes_of, least_window, reserve_of, room_of, tokens_of
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.step_events import StepResult
from sessions_app.models import TurnKind
from sessions_app.realtime.run_events import RunStream
from sessions_app.turn_store import compacting
from sessions_app.turn_store.claimed_turn import ClaimedTurn
from sessions_app.turn_store.compacting import MadeSummary, TranscriptChanged, uncounted
from sessions_app.turns.cutting import Cut, longest_beginning, summarised_again
from sessions_app.turns.memory import TurnMemory
from sessions_app.turns.metering import Meter
from sessions_app.turns.output import TurnOutput
from sessions_app.turns.summary_answers import MAX_ANSWER, cost_of, summary_of
from sessions_app.turns.writing import Write, settled

WORK = "compaction"
"""What the run's events call it."""

MAX_ROUNDS = 10
"""Summaries that one request is worth; each covers at least one message more."""

SMALLER = (1.0, 0.6, 0.35, 0.2)
"""Shares of what should fit, tried one after the other where a provider still refuses a beginning for its length."""

COLD_SHARE = 0.5
"""Of the room: a chat that has used up so much is summarised where its prompt is to be read as new anyway."""

UNKNOWN_SHARE = 0.75
"""Of a prompt that was refused for its length with no word of the window: so much may fit."""

TOO_SMALL = (
    "The window of this model, {window:,} tokens, is too small for its system prompt and tools, about {prefix:,}: it "
    "has to hold at least {least:,}. An administrator has to change its profile."
)
TOO_LARGE = (
    "This message is about {over:,} tokens too long for the model, whose window holds {window:,}. Shorten it, or "
    "choose a model with a larger window."
)
FAILED = "The earlier part of this chat could not be summarised: {} Try again, or start a new chat."
CUT = "Nothing was left of your budget before the summary was complete."
CHANGED = "This chat was changed by another program while it was summarised. Nothing was changed by that; try again."


class Compactor:
    """Makes room for one turn. Lives as long as its run; not for two requests at once."""

    def __init__(
        self,
        begun: ClaimedTurn,
        agent: Agent,
        memory: TurnMemory,
        stream: RunStream,
        output: TurnOutput,
        meter: Meter,
        write: Write,
    ) -> None:
        self._begun = begun
        self._agent = agent
        self._memory = memory
        self._stream = stream
        self._output = output
        self._meter = meter
        self._write = write
        self._window = begun.window
        # Whether it was guessed, after a provider has refused what should have fitted.
        self._is_guessed = False
        self._has_summarised = False
        self._asked = begun.message.position if begun.message else None
        # What the turn has told the model beside it is sent with it.
        own = [row.position for row in begun.rows]
        self._first = min([*own, self._asked]) if self._asked is not None else None

    @property
    def _tokens(self) -> int:
        return tokens_of(self._memory.transcript.length, self._memory.transcript.last)

    async def summarise_all(self) -> None:
        """Put a summary in the place of the whole transcript, or of as much of it as fits. Raises ProviderError."""
        if self._window is not None:
            await self._check_size(self._window)
        await self._summarise(self._window, self._stream.message_id)

    async def make_room_beforehand(self) -> None:
        """Summarise a long chat whose prompt the provider has forgotten, before it is full. Raises ProviderError.

        The whole prompt is paid for once in either case. Later turns have less to read, and none has to wait for this.
        The chat still fits: where no summary is to be had it is answered without one.
        """
        window, transcript = self._window, self._memory.transcript
        if window is None or self._tokens <= COLD_SHARE * room_of(window):
            return
        if await self._agent.is_cold(transcript):
            with suppress(ProviderError):
                await self._summarise(window, uuid.uuid4())

    async def make_room(self) -> None:
        """Summarise until the next request fits, or nothing is left to summarise. Raises ProviderError."""
        for _ in range(MAX_ROUNDS):
            if self._window is None or self._tokens <= room_of(self._window):
                return
            await self._check_size(self._window)
            if not await self._summarise(self._window, uuid.uuid4()):
                return

    async def make_more_room(self, refusal: ProviderError) -> None:
        """Summarise after the provider has refused a request for its length. Raises ProviderError."""
        begun, named = self._begun, self._named(refusal)
        if named is not None and begun.profile_id is not None:
            door = database.of(begun.turn.owner_id)
            address = begun.endpoint.base_url if begun.endpoint else ""
            await self._write(door, windows.learn, begun.profile_id, begun.model, address, named)
        # What was refused is too long, whatever the estimate says.
        guess = int(self._tokens * UNKNOWN_SHARE)
        self._window, self._is_guessed = min(named or guess, guess), named is None or named > guess
        if not await self._summarise(self._window, uuid.uuid4()):
            raise refusal
        await self.make_room()

    @property
    def _prefix(self) -> int:
        """The tokens of the frozen prefix, about."""
        return tokens_of(len(self._memory.transcript.frozen), None)

    def _named(self, refusal: ProviderError) -> int | None:
        """The window that a refusal names. One that not even the prefix fits in is none: its number is another's."""
        return refusal.window if refusal.window and refusal.window > self._prefix else None

    async def _check_size(self, window: int) -> None:
        """Refuse what stays too large whatever is summarised. Raises ProviderError."""
        await self._memory.make_divisible()
        if self._is_guessed:
            return  # the provider has the last word
        transcript, prefix = self._memory.transcript, self._prefix
        if window < (least := least_window(prefix)):
            # Else each turn would summarise, and would have to again.
            raise ProviderError("context", TOO_SMALL.format(window=window, prefix=prefix, least=least))
        position, size = next(reversed(transcript.places()), (None, 0))
        if self._asked is None or position != self._asked:
            return  # it is not the last one, so there is something to summarise
        if (over := self._tokens - tokens_of(size, transcript.last) + prefix - window) > 0:
            raise ProviderError("context", TOO_LARGE.format(over=over, window=window))

    async def _summarise(self, window: int | None, message_id: UUID) -> bool:
        """Summarise as much as one request can take; False where there is nothing. Raises ProviderError."""
        await self._memory.make_divisible()
        if self._cut(window, 1.0) is None:
            return False
        self._stream.work_began(WORK)
        try:
            await self._shrinking(window, message_id)
        finally:
            self._stream.work_ended(WORK)
        self._has_summarised = True
        return True

    async def _shrinking(self, window: int | None, message_id: UUID) -> None:
        """Put a summary in place, of less where the provider refuses what should have fitted. Raises ProviderError."""
        for share in SMALLER:
            if (cut := self._cut(window, share)) is None:
                return
            try:
                await self._put_in_place(cut, message_id)
                return
            except ProviderError as error:
                if error.code == "conflict":
                    raise
                if error.code != "context" or share == SMALLER[-1]:
                    raise ProviderError(error.code, FAILED.format(error.text)) from error
                window = self._named(error) or window or int(self._tokens * UNKNOWN_SHARE)

    def _cut(self, window: int | None, share: float) -> Cut | None:
        """Choose what is summarised: of what should fit in the window a share."""
        transcript, budget = self._memory.transcript, None
        if window is not None:
            budget = int(bytes_of(window - reserve_of(window), transcript.last) * share) - len(INSTRUCTION)
        if not self._has_summarised and (again := summarised_again(transcript, budget)) is not None:
            return again
        return longest_beginning(transcript, budget, self._asked, self._first)

    async def _put_in_place(self, cut: Cut, message_id: UUID) -> None:
        """Have the beginning summarised, store the summary, and go on from it. Raises ProviderError."""
        memory, turn = self._memory, self._begun.turn
        seen = memory.seen
        result = await self._ask(cut)
        made = MadeSummary(summary_of(result), result.model, cut.summary, seen, message_id)
        last = uncounted(memory.last_request)
        try:
            await settled(self._write(database.of(turn.owner_id), compacting.store, turn, made, last))
        except TranscriptChanged:
            if turn.kind == TurnKind.COMPACTION:
                raise ProviderError("conflict", CHANGED) from None
        else:
            memory.transcript.last = last
        await memory.read()

    async def _ask(self, cut: Cut) -> StepResult:
        """Return what the model has answered when it was asked for a summary. Raises ProviderError."""
        transcript = await self._memory.beginning(cut.position, cut.longest)
        transcript.append(Row("user", INSTRUCTION, position=self._memory.transcript.end))
        step, is_whole = self._agent.last_step(transcript, MAX_ANSWER, await self._meter.afford(transcript)), False
        try:
            async with step:
                async for event in step:
                    if not await self._meter.heard(event):
                        raise ProviderError("budget", CUT)
            is_whole = True
        finally:
            result = self._meter.count(step.result, is_whole=is_whole)
            self._output.count(cost_of(result, whole=cut.position is None))
        if result.finish == "budget":
            raise ProviderError("budget", CUT)
        return result
