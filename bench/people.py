"""How people pause, made up from a seed: a month of requests of one user, or what was measured."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
DAYS = 22
"""Working days of a month."""
MEASURED_TURNS = 30
"""Turns of a chat that measured pauses are made into."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: how many seconds after the last one of its chat, and how many tokens it adds to the prompt."""

    pause: float
    tokens: int


Chat = list[Request]


@dataclass(frozen=True, slots=True)
class People:
    """A way to use the host: a month of chats, each with the second of the month at which it begins."""

    name: str
    month: Callable[[random.Random], Iterator[tuple[float, Chat]]]


def _said(chance: random.Random) -> int:
    """Tokens of an answer and the message after it; some messages hold a text."""
    return round(chance.lognormvariate(6.0, 0.6)) + (chance.randint(800, 4000) if chance.random() < 0.1 else 0)


def turns(chance: random.Random, pauses: list[float]) -> Chat:
    """A chat of one turn more than there are pauses; every fourth turn calls a tool."""
    chat: Chat = []
    for pause in (0.0, *pauses):
        chat.append(Request(pause, _said(chance)))
        if chance.random() < 0.25:
            chat.append(Request(chance.uniform(3, 12), chance.randint(150, 900)))
    return chat


def _work(chance: random.Random) -> Iterator[tuple[float, Chat]]:
    for day in range(DAYS):
        for hour in (9, 11, 14):
            pauses = [chance.lognormvariate(4.2, 1.0) for _ in range(chance.randint(3, 19))]
            yield day * DAY + hour * HOUR, turns(chance, pauses)


def _bursts(chance: random.Random) -> Iterator[tuple[float, Chat]]:
    for day in range(DAYS):
        pauses: list[float] = []
        for _ in range(6):
            pauses += [chance.uniform(20, 120) for _ in range(chance.randint(2, 5))]
            pauses.append(chance.uniform(10, 50) * MINUTE)
        yield day * DAY + 9 * HOUR, turns(chance, pauses[:-1])


def _uniform(chance: random.Random) -> Iterator[tuple[float, Chat]]:
    for day in range(DAYS):
        yield day * DAY + 9 * HOUR, turns(chance, [chance.uniform(0, 90) * MINUTE for _ in range(11)])


def _daily(chance: random.Random) -> Iterator[tuple[float, Chat]]:
    pauses: list[float] = []
    for _ in range(DAYS):
        morning = [chance.uniform(1, 4) * MINUTE for _ in range(3)]
        pauses += [*morning, DAY - sum(morning) - chance.uniform(0, HOUR)]
    yield 9 * HOUR, turns(chance, pauses[:-1])


def _questions(chance: random.Random) -> Iterator[tuple[float, Chat]]:
    for day in range(DAYS):
        for hour in range(9, 17):
            pauses = [chance.uniform(20, 90)] if chance.random() < 0.2 else []
            yield day * DAY + hour * HOUR + chance.uniform(0, HOUR / 2), turns(chance, pauses)


def _reading(chance: random.Random) -> Iterator[tuple[float, Chat]]:
    for day in range(DAYS):
        for hour in (9, 14):
            chat = [Request(0.0, chance.randint(3000, 8000))]
            for _ in range(chance.randint(4, 10)):
                reads = chance.random() < 0.5
                pause = chance.uniform(5, 9) * MINUTE if reads else chance.uniform(30, 200)
                chat.append(Request(pause, chance.randint(3000, 8000) if reads else chance.randint(200, 600)))
            yield day * DAY + hour * HOUR, chat


PEOPLE = [
    People("Short work sessions (3 chats a day, pauses of about a minute)", _work),
    People("Bursts with long gaps (a chat a day, gaps of 10 to 50 minutes)", _bursts),
    People("Uniform (a chat a day, pauses of 0 to 90 minutes)", _uniform),
    People("Daily (one chat all month, four turns a morning)", _daily),
    People("Single questions (8 chats a day, few go on)", _questions),
    People("Reading (2 chats a day, every second text is long and read for 5 to 9 minutes)", _reading),
]


def measured(file: Path) -> People:
    """People whose pauses were measured: a file of seconds, one a line. Raises ValueError."""
    pauses = [_seconds(line, number) for number, line in enumerate(file.read_text().splitlines(), 1) if line.strip()]
    if not pauses:
        raise ValueError(f"{file} has no pauses")

    def month(chance: random.Random) -> Iterator[tuple[float, Chat]]:
        start = 0.0
        for first in range(0, len(pauses), MEASURED_TURNS):
            some = pauses[first : first + MEASURED_TURNS]
            yield start + some[0], turns(chance, some[1:])
            start += sum(some)

    return People(f"Measured ({len(pauses)} pauses of {file.name})", month)


def _seconds(line: str, number: int) -> float:
    try:
        seconds = float(line)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"line {number} is no number of seconds: {line[:40]!r}")
    return seconds
