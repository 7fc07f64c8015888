"""The lease: one turn's hold on an agent, and its only way to the transcript that the agent holds for the session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Generic

from agentcache.baseline import Baseline, Stamp, rebaseline
from agentcache.statistics import Tally
from agentcache.transcript_store import A, Entry, HeldTranscript, T, TranscriptStore


@dataclass(frozen=True, slots=True, eq=False)
class Lease(Generic[A, T]):
    """Lives for one turn of one session; made by `AgentCache.use` only.

    While it lives, its agent is neither evicted nor closed, and its session's transcript is not dropped for room.
    It can reach no other session of the agent. When the agent is replaced meanwhile, it may go on using the agent;
    `held` and `baseline` are None from then on, `keep` and `rebaseline` do nothing and return False.
    All methods are for the event loop that owns the cache and raise RuntimeError elsewhere: a thread of the database
    pool would break the promise that a section without an await is atomic.
    """

    session_id: str
    built: bool
    """True where the agent was built for this lease, False where it was there or somebody else's build was awaited."""
    _entry: Entry[A]
    _transcripts: TranscriptStore[A, T]
    _tally: Tally
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    @property
    def agent(self) -> A:
        """The agent, shared with all turns of its key that run at the same time."""
        return self._entry.agent

    def baseline(self) -> Baseline | None:
        """Return the baseline of this session, for `judge`; None where no transcript is held."""
        held = self._find()
        return held.baseline if held else None

    def held(self) -> T | None:
        """Return the transcript in memory. Only a trusted verdict on `baseline()` says that it is the stored one.

        Extend it only after the transaction that stored what is added: a transcript ahead of the database with a
        baseline equal to it would be believed; one behind, or half extended, no longer equals the live stamp.
        """
        held = self._find()
        return held.transcript if held else None

    def keep(self, transcript: T, stamp: Stamp, size: int) -> bool:
        """Hold a transcript of `size` bytes which was read in one transaction together with `stamp`."""
        self._check_loop()
        if not self._entry.cached:
            return False
        held = HeldTranscript(transcript, Baseline(self.session_id, stamp), size)
        self._transcripts.put(self._entry, self.session_id, held)
        self._tally["loaded"] += 1
        return True

    def rebaseline(self, *, old: Stamp, new: Stamp, size: int) -> bool:
        """Move the baseline on after our own write, as the pure function of that name does; True where it moved.

        `size` is that of the whole transcript, in bytes, with what was written.
        """
        held = self._find()
        if held is None:
            return False
        moved = rebaseline(held.baseline, self.session_id, old=old, new=new)
        if moved is None or moved is held.baseline:
            return False
        self._transcripts.put(self._entry, self.session_id, HeldTranscript(held.transcript, moved, size))
        self._tally["advanced"] += 1
        return True

    def _find(self) -> HeldTranscript[T] | None:
        self._check_loop()
        return self._transcripts.get(self._entry, self.session_id)

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("a lease belongs to the event loop that owns its cache")
