"""What a cache must do, said with plain lists: the oracle of the state machine.

It is told what the real cache did (a lease began or ended) in the order in which it happened, and derives from that
alone who is in the cache, whose transcripts are held, and who must be closed. Lists are in the order of use.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from agentcache import Lease, Stamp
from tests.agentcache.world import Agent


@dataclass(eq=False)
class Place:
    """An agent under its key."""

    key: str
    signature: str
    agent: Agent
    used: float


@dataclass(eq=False)
class Text:
    """A transcript that an agent holds for a session."""

    agent: Agent
    session_id: str
    transcript: str
    stamp: Stamp
    size: int


@dataclass(eq=False)
class Turn:
    """One task that leases an agent and holds it until told to end. `lease` is there while it does."""

    key: str
    signature: str
    session_id: str
    slow: bool
    close_fails: bool
    task: asyncio.Task[None] = field(init=False)
    build: asyncio.Future[None] | None = None
    lease: Lease[Agent, str] | None = None
    end: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Model:
    """`broken` lists what was seen broken where an assertion would be lost: in a task, or as an error of closing."""

    max_entries: int
    max_bytes: int
    max_agent_bytes: int
    max_idle: float
    places: list[Place] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    leases: list[tuple[Agent, str]] = field(default_factory=list)
    built: list[Agent] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    open: bool = True

    @property
    def bytes(self) -> int:
        return sum(text.size for text in self.texts)

    def bytes_of(self, agent: Agent) -> int:
        return sum(text.size for text in self.texts if text.agent is agent)

    @property
    def leased(self) -> set[Agent]:
        return {agent for agent, _ in self.leases}

    @property
    def to_be_closed(self) -> set[Agent]:
        """All that were built, except who is in the cache or in a turn."""
        return set(self.built) - {place.agent for place in self.places} - self.leased

    def place_of(self, agent: Agent) -> Place | None:
        return next((place for place in self.places if place.agent is agent), None)

    def text_of(self, agent: Agent, session_id: str) -> Text | None:
        return next((text for text in self.texts if (text.agent, text.session_id) == (agent, session_id)), None)

    def began(self, key: str, signature: str, session_id: str, agent: Agent, *, built: bool, now: float) -> None:
        """A lease began, on an agent built for it or found."""
        self.leases.append((agent, session_id))
        if not built:
            place = self.place_of(agent)
            if place is None or (place.key, place.signature) != (key, signature):
                self.broken.append(f"{agent} was leased for {key} {signature}")
            return
        self.built.append(agent)
        if self.open:
            self._leave([place for place in self.places if place.key == key])
            self.places.append(Place(key, signature, agent, now))
            self._bound()

    def ended(self, agent: Agent, session_id: str, now: float) -> None:
        self.leases.remove((agent, session_id))
        place = self.place_of(agent)
        if place is None:
            return
        place.used = now
        self.places.remove(place)
        self.places.append(place)
        text = self.text_of(agent, session_id)
        if text:
            self.texts.remove(text)
            self.texts.append(text)
        self._bound()

    def loaded(self, agent: Agent, session_id: str, transcript: str, stamp: Stamp, size: int) -> bool:
        if self.place_of(agent) is None:
            return False
        self.dropped(agent, session_id)
        self.texts.append(Text(agent, session_id, transcript, stamp, size))
        self._bound()
        return True

    def dropped(self, agent: Agent, session_id: str) -> None:
        text = self.text_of(agent, session_id)
        if text:
            self.texts.remove(text)

    def advanced(self, agent: Agent, session_id: str, old: Stamp, new: Stamp, size: int) -> bool:
        text = self.text_of(agent, session_id)
        if text is None or text.stamp != old:
            return False
        return self.loaded(agent, session_id, text.transcript, new, size)

    def swept(self, now: float) -> None:
        self._leave(
            [place for place in self.places if place.used + self.max_idle <= now and place.agent not in self.leased]
        )

    def all_closed(self) -> None:
        self.open = False
        self._leave(list(self.places))

    def _leave(self, places: list[Place]) -> None:
        for place in places:
            self.places.remove(place)
            self.texts = [text for text in self.texts if text.agent is not place.agent]

    def _bound(self) -> None:
        surplus = max(0, len(self.places) - self.max_entries)
        self._leave([place for place in self.places if place.agent not in self.leased][:surplus])
        for text in list(self.texts):
            too_much = self.bytes_of(text.agent) > self.max_agent_bytes
            if too_much and (text.agent, text.session_id) not in self.leases:
                self.texts.remove(text)
        for text in list(self.texts):
            if self.bytes > self.max_bytes and (text.agent, text.session_id) not in self.leases:
                self.texts.remove(text)
