"""The agent: the live object that answers one user in one process."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from decimal import Decimal
from importlib.metadata import version

from sessions_app.llm.cache_clock.warmth import is_warm
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.providers import Providers
from sessions_app.llm.refreshing import most_of_refresh, refresh_step
from sessions_app.llm.step import Step
from sessions_app.llm.tools.registry import ToolRegistry, no_tool
from sessions_app.llm.tools.sources import Context, Report, Standing, ToolOutput, unreported

# Read at import: it searches the disk, which the event loop must not wait for.
_PYDANTIC_AI = version("pydantic-ai-slim")


class Agent:
    """One per session key and process: the way to the models, and tools bound to their user.

    Nothing about a session is its state (transcripts are kept beside it): two sessions of one user may run at once.
    """

    def __init__(self, providers: Providers, tools: ToolRegistry, context: Context) -> None:
        self._closed = False
        self._providers = providers
        self._tools = tools
        self._context = context

    def step(self, transcript: CachedTranscript, most_tokens: int | None = None) -> Step:
        """One request to the transcript's model, for an answer of so many tokens at most."""
        self._check()
        return Step(self._providers, transcript, most_tokens=most_tokens)

    def last_step(self, transcript: CachedTranscript, longest: int, most_tokens: int | None = None) -> Step:
        """One that no other goes on from; its answer ends at `longest` characters."""
        self._check()
        return Step(self._providers, transcript, longest, most_tokens=most_tokens, is_last=True)

    async def is_cold(self, transcript: CachedTranscript) -> bool:
        """Tell whether the transcript's provider has surely forgotten what it was sent of it. Raises ProviderError."""
        self._check()
        live = await self._providers.live(transcript.model, transcript.endpoint)
        last, caching = transcript.last, live.caching(transcript.session_id)
        return last is not None and last.kept > 0 and not is_warm(last, caching, time.time())

    async def refresh_price(self, transcript: CachedTranscript) -> Decimal | None:
        """Return the most that a refresh of a prompt can cost now; None where it does not pay. Raises ProviderError."""
        self._check()
        live = await self._providers.live(transcript.model, transcript.endpoint)
        return most_of_refresh(transcript, live, time.time())

    def refresh(self, transcript: CachedTranscript) -> Step:
        """Send what `transcript` was last sent for (`CachedTranscript.last_sent`) again, to keep that warm."""
        self._check()
        return refresh_step(self._providers, transcript)

    async def standing(self, transcript: CachedTranscript, call: ToolCall) -> Standing:
        """Tell whether a call may be made now, or a person must be asked before; one of no tool here is off."""
        self._check()
        if call.name not in {tool.name for tool in transcript.prefix.tools}:
            return Standing.OFF
        return await self._tools.standing(self._context_of(transcript), call.name)

    def has_effects(self, call: ToolCall) -> bool:
        """Whether a call may change something outside of this host."""
        return self._tools.has_effects(call.name)

    async def call(self, transcript: CachedTranscript, call: ToolCall, report: Report = unreported) -> ToolOutput:
        """Run a tool that the transcript's session has; `report` shows how far it is.

        What went wrong is told as the output's text; nothing but cancellation is raised.
        """
        self._check()
        if call.name not in {tool.name for tool in transcript.prefix.tools}:
            return no_tool(call)
        return await self._tools.call(replace(self._context_of(transcript), report=report), call)

    def _context_of(self, transcript: CachedTranscript) -> Context:
        return replace(self._context, session_id=transcript.session_id)

    async def aclose(self) -> None:
        """Be used no more. The providers' clients belong to the process and stay open."""
        self._closed = True

    def _check(self) -> None:
        if self._closed:
            raise RuntimeError("this agent was closed; one in a turn never may be")


def signature(tools: ToolRegistry) -> str:
    """Digest of what every agent of this process is built from: the software's version, and where tools come from.

    Never of what is frozen per session, nor of what a source lists at the time: neither an edited profile nor a tool
    server that is away must make a user's sessions throw each other out.
    """
    return hashlib.sha256("\n".join([_PYDANTIC_AI, *tools.identity]).encode()).hexdigest()[:32]
