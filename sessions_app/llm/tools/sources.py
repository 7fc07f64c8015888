"""What a source of tools is: it lists tools, and runs their calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import ToolSpec

Search = Callable[[int, str, int], Awaitable[list[str]]]
"""`await search(user_id, query, limit)`: lines of text, one per hit in the chats of that user, best first."""


Remembers = Callable[[int, str], Awaitable[bool]]
"""`await remembers(user_id, session_id)`: whether that user's memory is on in that session."""

TOOL_ERROR = "Error: "
"""What the result of a call begins with that went wrong."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call is: `progress` of `total`, None where nobody knows, and a word about it."""

    progress: float
    total: float | None = None
    message: str | None = None


Report = Callable[[Progress], None]
"""Shows how far a call is to whoever watches; nothing of it is stored."""


def unreported(progress: Progress) -> None:
    """Show it to nobody."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool may use: whose agent it is, in which session it is called, and the way to what the user has.

    `report` is of one call.
    """

    user_id: int
    search: Search
    remembers: Remembers
    session_id: str = ""
    report: Report = unreported


@dataclass(frozen=True, slots=True)
class ToolImage:
    """A picture in a tool's result: its bytes, as the tool gave them, unchecked."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a call has brought: text for the model, which may be blank, and pictures."""

    text: str
    images: tuple[ToolImage, ...] = ()


class Standing(StrEnum):
    """Whether a tool may be called now. It is asked at each call, and no part of what the model is told."""

    OFF = "off"
    ASK = "ask"
    ALLOWED = "allowed"


class ToolError(Exception):
    """A tool says what is wrong with a call; `str()` is for the model to read."""


class ToolSource(Protocol):
    """Something that has tools. Lives as long as the agents that use it."""

    @property
    def identity(self) -> str:
        """What agents are built from: equal where the same source is meant, whatever it lists at the time."""

    @property
    def has_effects(self) -> bool:
        """Whether its calls may change something outside of this host: such a call is never made twice."""

    def specs(self) -> Iterable[ToolSpec]:
        """The tools that it has now and profiles may name, in any order; none while it is away."""

    def has(self, name: str) -> bool:
        """Whether calls of this name are for it, where no earlier source has them."""

    async def standing(self, context: Context, name: str) -> Standing:
        """Tell whether one of its tools may be called now, or a person must be asked before."""

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        """Run a call of one of its tools. Raises ToolError, also where the tool is off by now."""
