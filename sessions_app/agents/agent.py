"""The agent: the live object that answers one user in one process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .memory import Transcript
from .pieces import ToolCall
from .providers import Providers
from .step import Step

Search = Callable[[int, str, int], Awaitable[list[str]]]
"""`await search(user_id, query, limit)`: lines of text, one per hit in the chats of that user, best first."""


class Agent:
    """One per session key and process: tools bound to their user, and by session id the transcripts in memory."""

    signature: str
    transcripts: dict[str, Transcript]

    @property
    def size(self) -> int:
        """Bytes of all its transcripts, about."""
        raise NotImplementedError

    def step(self, transcript: Transcript) -> Step:
        """One request to the transcript's model."""
        raise NotImplementedError

    async def call(self, call: ToolCall) -> str:
        """Run a tool; what went wrong is told as the result's text, nothing but cancellation is raised."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Let go of the transcripts. The providers' clients belong to the process and stay open."""
        raise NotImplementedError


def signature() -> str:
    """Digest of what every agent of this process is built from: the software's version and its tools."""
    raise NotImplementedError


def build_agent(user_id: int, *, providers: Providers, search: Search) -> Agent:
    """A new agent for that user."""
    raise NotImplementedError
