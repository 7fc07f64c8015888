"""What users and others do to a host, so that its prompts stay warm or do not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Size:
    """Turns of the long conversation, of the others, and how often a host is restarted; users at once.

    `about_document` are the turns of a conversation about one.
    """

    long: int
    turns: int
    restarts: int
    users: int
    about_document: int = 20


SESSIONS = 5
WINDOW = 3_000
"""Tokens that the model's window is said to hold where a conversation outgrows it."""
ROUNDS = 3


async def long(stage: Stage, size: Size) -> None:
    """One session, turn after turn."""
    chat = await stage.chat()
    for _ in range(size.long):
        await stage.say(chat)


async def program(stage: Stage, size: Size) -> None:
    """A program sends the whole conversation with each question, by OpenAI's chat completions."""
    await stage.program(size.long)


async def document(stage: Stage, size: Size) -> None:
    """One session about a document, which comes with the second message."""
    await stage.document(size.about_document)


async def windows(stage: Stage, size: Size) -> None:
    """One session that outgrows its model's window, three times in a full run."""
    chat = await stage.chat()
    stage.set_window(WINDOW)
    try:
        for _ in range(size.long):
            await stage.say(chat)
    finally:
        stage.set_window(None)


async def hopping(stage: Stage, size: Size) -> None:
    """One user goes around among some sessions, one turn in each."""
    chats = [await stage.chat() for _ in range(SESSIONS)]
    for _ in range(size.turns // 2):
        for chat in chats:
            await stage.say(chat)


async def by_turns(stage: Stage, size: Size) -> None:
    """Two processes take turns on one session."""
    chat = await stage.chat()
    for number in range(size.turns):
        await stage.say(chat, at=number % 2)


async def restarts(stage: Stage, size: Size) -> None:
    """The host is restarted between two turns."""
    chat = await stage.chat()
    await stage.say(chat)
    for _ in range(size.restarts):
        await stage.restart()
        await stage.say(chat)


async def appends(stage: Stage, size: Size) -> None:
    """Another program writes a message before every third turn."""
    chat = await stage.chat()
    for number in range(size.turns):
        if number % 3 == 2:
            stage.append(chat)
        await stage.say(chat)


async def edits(stage: Stage, size: Size) -> None:
    """Another program rewrites what was said in the middle, before every third turn."""
    chat = await stage.chat()
    for number in range(size.turns):
        if number % 3 == 2:
            stage.edit(chat)
        await stage.say(chat)


async def steering(stage: Stage, size: Size) -> None:
    """The user regenerates every third answer, and edits what they said in the middle after every fourth."""
    chat = await stage.chat()
    for number in range(1, size.turns + 1):
        await stage.say(chat)
        if number % 3 == 0:
            await stage.regenerate(chat)
        if number % 4 == 0:
            await stage.edit_own(chat, number // 2 - 1)


async def at_once(stage: Stage, size: Size) -> None:
    """Many users, a session each, all ask in the same moment."""
    chats = [await stage.chat(user) for user in range(size.users)]
    for _ in range(ROUNDS):
        await stage.say(*chats)


@dataclass(frozen=True, slots=True)
class Workload:
    """What is played, at how many hosts, for one user or as many as there are; `summaries` where it makes some."""

    play: Callable[[Stage, Size], Awaitable[None]]
    title: Callable[[Size], str]
    hosts: int = 1
    crowded: bool = False
    summaries: bool = False


WORKLOADS = [
    Workload(long, lambda size: f"One long conversation ({size.long} turns)"),
    Workload(program, lambda size: f"A program that sends all that was said each time ({size.long} turns)"),
    Workload(document, lambda size: f"A chat about a document early in it ({size.about_document} turns)"),
    Workload(windows, lambda size: f"A window of {WINDOW:,} tokens outgrown ({size.long} turns)", summaries=True),
    Workload(hopping, lambda size: f"A user hops among {SESSIONS} sessions ({SESSIONS * (size.turns // 2)} turns)"),
    Workload(by_turns, lambda size: f"Two processes take turns on one session ({size.turns} turns)", hosts=2),
    Workload(restarts, lambda size: f"A restart between turns ({size.restarts + 1} turns)"),
    Workload(appends, lambda size: f"A foreign append before every third turn ({size.turns} turns)"),
    Workload(edits, lambda size: f"An edit in the middle before every third turn ({size.turns} turns)"),
    Workload(steering, lambda size: f"A user edits and regenerates ({size.turns} turns, and those)"),
    Workload(at_once, lambda size: f"{size.users} users at once ({ROUNDS} rounds)", crowded=True),
]
