"""A session's transcript in the agent's memory, for one turn: trusted, read, extended.

This is where guard, cache and database meet. The live stamp that the guard is asked about was
read under the session's lock, just before the user's message was stored; the baseline moves on
only over changes of our own. Where it cannot move, somebody wrote meanwhile, and the next
request is made from what the database says then.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Literal
from uuid import UUID

from agentcache import Lease, Stamp, judge
from sessions_app import database
from sessions_app.conversations.ledger_schemas import GuardShape
from sessions_app.conversations.transcript import check_claim
from sessions_app.files.pictures import UserImages
from sessions_app.llm.agent import Agent
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.summaries import shortened
from sessions_app.turn_store.beginning import load
from sessions_app.turn_store.claimed_turn import ClaimedTurn
from sessions_app.turn_store.ending import Stored

TurnLease = Lease[Agent, CachedTranscript]


class TurnMemory:
    """The transcript that a turn answers from. Lives as long as the turn's lease.

    Made right after the lease, with no await between: from then on the memory has what the turn has stored,
    however early it is stopped. ``guarded`` says what the guard decided.
    """

    def __init__(self, begun: ClaimedTurn, lease: TurnLease) -> None:
        self._begun = begun
        self._lease = lease
        self._transcript: CachedTranscript | None = None
        # The stamp of ``transcript``, kept here because the lease loses it when the agent is replaced.
        self._seen: Stamp | None = None
        self.guarded = self._guard()

    @property
    def owner_id(self) -> int:
        """The user whose session it is."""
        return self._begun.turn.owner_id

    @property
    def session_id(self) -> UUID:
        """The session that the turn belongs to."""
        return self._begun.session_id

    @property
    def transcript(self) -> CachedTranscript:
        """The transcript to make the next request from; ``obtain`` comes first."""
        if self._transcript is None:
            raise RuntimeError("no transcript was obtained")
        return self._transcript

    @property
    def seen(self) -> Stamp:
        """The stamp that ``transcript`` has."""
        if self._seen is None:
            raise RuntimeError("no transcript was obtained")
        return self._seen

    @property
    def last_request(self) -> RequestRecord | None:
        """The session's latest request to a provider, as far as this turn knows."""
        return self._transcript.last if self._transcript else None

    async def obtain(self) -> None:
        """Make ``transcript`` the stored one, whole, with the user's message.

        Raises OwnershipLost where the session is gone, or the turn is another's: what follows it in the
        transcript by then is not for this turn to send.
        """
        if self._transcript is None:
            await self.read()

    def _guard(self) -> GuardShape:
        """Judge the transcript in memory, and take in what the turn has stored where it is the stored one."""
        begun, lease = self._begun, self._lease
        agent: Literal["built", "reused"] = "built" if lease.built else "reused"
        verdict = judge(lease.baseline(), lease.session_id, begun.old)
        held = lease.held()
        if held is None or not verdict.trusted:
            return GuardShape(agent=agent, transcript="read", reason=verdict.reason)
        if (held.model, held.frozen, held.sees_images) != (begun.model, begun.prefix, begun.sees_images):
            return GuardShape(agent=agent, transcript="read", reason="another model or prefix")
        _set(held, begun, begun.last)
        if begun.cut is not None and not held.truncate(begun.cut):
            return GuardShape(agent=agent, transcript="read", reason="cannot be cut there")
        self._transcript, self._seen = held, begun.new
        for row in begun.rows:
            held.append(row)
        lease.rebaseline(old=begun.old, new=begun.new, size=held.size)
        return GuardShape(agent=agent, transcript="kept", reason=verdict.reason)

    async def go_on(self, stored: Stored) -> None:
        """Take in a step of ours after its commit: the next request follows."""
        seen = self._seen
        self.take_in(stored)
        if self._transcript is not None and seen != stored.old:
            await self.read()  # somebody else wrote

    def take_in(self, stored: Stored) -> None:
        """Take in rows that the turn has stored, after their commit.

        The baseline moves over them and over nothing else: from the stamp just before them to the one just after, where
        it was the one before.
        """
        transcript = self._transcript
        if transcript is None:
            return
        for row in stored.rows:
            transcript.append(row)
        self._lease.rebaseline(old=stored.old, new=stored.new, size=transcript.size)
        self._seen = stored.new

    async def beginning(self, position: int | None, longest: int | None) -> CachedTranscript:
        """Return a transcript of what comes before ``position`` (None: of all), to make another request of.

        With ``longest`` the texts of its rows are shortened to so many characters. Raises OwnershipLost.
        """
        if longest is None and (made := self.transcript.beginning(position)) is not None:
            return made
        door = database.of(self.owner_id)
        read, _ = await door.read(_stored, self._begun, self.last_request, position, longest)
        read.sampling = None  # what the turn wants is not wanted of this one
        return read

    async def make_divisible(self) -> None:
        """Have ``transcript`` know where it can be divided: one that does not is read again. Raises OwnershipLost."""
        if not self.transcript.is_divisible:
            await self.read()

    async def read(self) -> None:
        """Make ``transcript`` what the database says now. Raises OwnershipLost."""
        last = self._begun.last if self._transcript is None else self._transcript.last
        door = database.of(self.owner_id)
        self._transcript, self._seen = transcript, stamp = await door.read(_stored, self._begun, last)
        self._lease.keep(transcript, stamp, transcript.size)


def _set(transcript: CachedTranscript, begun: ClaimedTurn, last: RequestRecord | None) -> None:
    """Give a transcript what is known of its session beside its rows."""
    transcript.last, transcript.applied, transcript.endpoint = last, begun.applied, begun.endpoint
    transcript.user_pauses, transcript.sampling = begun.user_pauses, begun.turn.sampling
    transcript.images = UserImages(begun.turn.owner_id)


def _stored(
    begun: ClaimedTurn, last: RequestRecord | None, position: int | None = None, longest: int | None = None
) -> tuple[CachedTranscript, Stamp]:
    """The transcript as stored, with its stamp. In the database's thread: a long one takes a while to build.

    See ``TurnMemory.beginning`` for ``position`` and ``longest``.
    """
    check_claim(begun.turn)
    rows, stamp = load(begun.session_id)
    rows = list(takewhile(lambda row: row.position != position, rows))
    if longest is not None:
        rows = [shortened(row, longest) for row in rows]
    prefix = FrozenPrefix.from_json(begun.prefix)
    transcript = CachedTranscript(
        str(begun.session_id), prefix, begun.model, rows, last=last, sees_images=begun.sees_images
    )
    _set(transcript, begun, last)
    return transcript, stamp
