"""The agent: the live object that answers one user in one process."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version

from .memory import Transcript
from .pieces import ToolCall
from .prefix import freeze
from .providers import Providers
from .step import Step, stream_step
from .tools import TOOLS, Context, Search, run_tool

# Read at import: it searches the disk, which the event loop must not wait for.
_PYDANTIC_AI = version("pydantic-ai-slim")


class Agent:
    """One per session key and process: the way to the models, and tools bound to their user.

    Nothing about a session is its state (transcripts are kept beside it): two sessions of one user may run at once.
    """

    def __init__(self, providers: Providers, context: Context) -> None:
        self._closed = False
        self._providers = providers
        self._context = context

    def step(self, transcript: Transcript) -> Step:
        """One request to the transcript's model."""
        self._check()
        return stream_step(self._providers, transcript)

    async def call(self, call: ToolCall) -> str:
        """Run a tool; what went wrong is told as the result's text, nothing but cancellation is raised."""
        self._check()
        return await run_tool(self._context, call)

    async def aclose(self) -> None:
        """Be used no more. The providers' clients belong to the process and stay open."""
        self._closed = True

    def _check(self) -> None:
        if self._closed:
            raise RuntimeError("this agent was closed; one in a turn never may be")


@cache
def signature() -> str:
    """Digest of what every agent of this process is built from: the software's version and its tools.

    Never of what is frozen per session: an edited profile must not make a user's sessions throw each other out.
    """
    parts = [_PYDANTIC_AI, freeze("", TOOLS).to_json()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def build_agent(user_id: int, *, providers: Providers, search: Search) -> Agent:
    """A new agent for that user."""
    return Agent(providers, Context(user_id, search))
