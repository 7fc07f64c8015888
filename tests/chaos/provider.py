"""A provider whose words are numbered: each tells which request it answers, and where it stands in the answer."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import h11

from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.providers.server import Recorded, Server

_WORD = re.compile(r"r(\d+)w\d+ ")


@dataclass(slots=True)
class Request:
    """One request as the provider saw it.

    `text` is the user's last one in it. `words` is what it is answered with, were it not for faults; `fails_at` is
    the index of the word that a fault comes before. `beside` are the numbers of the requests with the same opening
    text whose clients were still there when it came. `whole` tells whether the answer could be sent to its end.
    """

    number: int
    body: dict[str, Any]
    text: str
    words: list[str]
    fails_at: int | None
    beside: list[int]
    whole: bool = False

    @property
    def answer(self) -> str:
        """All that was to be said."""
        return "".join(self.words[: self.fails_at])


def request_of(answer: str) -> int | None:
    """The number of the request that an answer, or the beginning of one, was sent for."""
    found = _WORD.match(answer)
    return int(found[1]) if found else None


@dataclass(slots=True)
class _Open:
    """A request under way, with its connection."""

    request: Request
    conversation: str
    writer: asyncio.StreamWriter

    @property
    def is_there(self) -> bool:
        """Whether its client has not hung up; by the kernel, which knows before the event loop does."""
        if self.writer.is_closing():
            return False
        own = self.writer.get_extra_info("socket")
        with socket.socket(fileno=socket.dup(own.fileno())) as peeked:
            peeked.setblocking(False)
            try:
                return peeked.recv(1, socket.MSG_PEEK) != b""
            except BlockingIOError:
                return True
            except ConnectionError:
                return False


@dataclass(frozen=True, slots=True)
class Temper:
    """How often an answer fails, stalls for ever, or is slow; shares of all answers."""

    fails: float = 0.08
    stalls: float = 0.02
    slow: float = 0.1


@dataclass(slots=True)
class Numbering:
    """Makes the answers. The same seed gives the nth answer to the same text the same length and fate."""

    seed: str
    temper: Temper = field(default_factory=Temper)
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, number: int, text: str) -> Answer:
        self.asked[text] += 1
        chance = random.Random(f"{self.seed}/provider/{text}/{self.asked[text]}")
        count = chance.randint(3, 40)
        answer = Answer(words=[f"r{number}w{index} " for index in range(count)], pause=chance.uniform(0.01, 0.06))
        fate, place = chance.random(), chance.randrange(count)
        if fate < self.temper.fails:
            self._fail(answer, chance.choice(("status", "cut", "error")), place)
        elif fate < self.temper.fails + self.temper.stalls:
            answer.silent = place
        elif fate < self.temper.fails + self.temper.stalls + self.temper.slow:
            answer.pause = chance.uniform(2, 6) / count
        return answer

    @staticmethod
    def _fail(answer: Answer, how: str, place: int) -> None:
        if how == "status":
            answer.status = 503
        else:
            setattr(answer, how, place)


class NumberingServer(Server):
    """Answers as `numbering` says, and remembers who asked for what beside whom."""

    def __init__(self, numbering: Numbering) -> None:
        super().__init__()
        self._numbering = numbering
        self._open: list[_Open] = []
        self.log: list[Request] = []

    async def _answer(
        self, recorded: Recorded, answer: Answer, wire: h11.Connection, writer: asyncio.StreamWriter
    ) -> None:
        body = recorded.json
        said = [str(message["content"]) for message in body["messages"] if message["role"] == "user"]
        answer = self._numbering.answer(len(self.log), said[-1])
        beside = [other.request.number for other in self._open if other.conversation == said[0] and other.is_there]
        request = Request(len(self.log), body, said[-1], answer.words, _fails_at(answer), beside)
        self.log.append(request)
        under_way = _Open(request, said[0], writer)
        self._open.append(under_way)
        try:
            await super()._answer(recorded, answer, wire, writer)
            request.whole = request.fails_at is None
        finally:
            self._open.remove(under_way)


def _fails_at(answer: Answer) -> int | None:
    places = (0 if answer.status != 200 else None, answer.cut, answer.error, answer.silent)
    return min((place for place in places if place is not None), default=None)


def numbering_provider(seed: str) -> tuple[Provider, list[Request]]:
    """A running provider (`close` it), and what it is asked."""
    server = NumberingServer(Numbering(seed))
    return Provider(server), server.log
