"""The agents of this process: the guarded cache, and what agents are built from."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from uuid import UUID

from agentcache import AgentCache, Statistics
from sessions_app import database
from sessions_app.conversations import access, memory
from sessions_app.conversations.search import search
from sessions_app.llm.agent import Agent, signature
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.tools.sources import Context, Search
from sessions_app.tool_servers.source import ToolServers
from sessions_app.turns.memory import TurnLease

# An agent without transcripts is a few kB, so the bytes are the bound that counts; 256 MiB
# hold some 100,000 messages of ordinary length in their serialised form.
MAX_ENTRIES = 2_000
MAX_BYTES = 256 * 2**20
# So that nobody's sessions push all others out; 25,000 messages, or a prompt of 16 million tokens, fit in.
MAX_AGENT_BYTES = MAX_BYTES // 4
# Providers forget a prompt within an hour at the longest; after that memory saves only a read.
MAX_IDLE_SECONDS = 3_600.0
_SESSIONS_AT_ONCE = 500


class AgentPool:
    """Leases agents by user. Belongs to one event loop and lives as long as the process."""

    def __init__(
        self, settings: ProviderSettings, search: Search, *, tool_timeout: float, usual_model: str | None = None
    ) -> None:
        self._providers = Providers(settings)
        self._search = search
        self._usual_model = usual_model
        self._preloading: asyncio.Task[None] | None = None
        self._tool_servers = ToolServers(tool_timeout)
        self._tools = site_tools(self._tool_servers)
        self._signature = signature(self._tools)
        self._cache: AgentCache[Agent, CachedTranscript] = AgentCache(
            Agent.aclose,
            max_entries=MAX_ENTRIES,
            max_bytes=MAX_BYTES,
            max_agent_bytes=MAX_AGENT_BYTES,
            max_idle=MAX_IDLE_SECONDS,
        )

    def lease(self, user_id: int, session_id: UUID) -> AbstractAsyncContextManager[TurnLease]:
        """Lease the user's agent for a turn of a session, building it where there is none."""

        async def build() -> Agent:
            return Agent(self._providers, self._tools, Context(user_id, self._search, remembers))

        return self._cache.use(session_key(user_id), self._signature, build, session_id=str(session_id))

    def lease_present(self, user_id: int, session_id: UUID) -> AbstractContextManager[TurnLease | None]:
        """Lease the user's agent beside the turns; None where this process has none."""
        return self._cache.use_present(session_key(user_id), self._signature, session_id=str(session_id))

    def preload(self) -> None:
        """Load, once, what a turn of the usual model needs: a second or two that the first one would wait.

        Not at the start, so that a process which nobody has come to stays small.
        """
        if self._preloading is None and self._usual_model is not None:
            self._preloading = asyncio.create_task(self._load(self._usual_model))

    async def _load(self, model: str) -> None:
        with suppress(ProviderError):  # the turn that needs it tells its user
            await self._providers.live(model)
        gc.freeze()  # see hermes_site.collector

    async def sweep(self) -> None:
        """Close the agents, and the connections to tool servers, that have been idle too long.

        What is in memory of sessions that are gone goes too: whoever has deleted them need not know this process.
        """
        await self._cache.sweep()
        held = self._cache.idle_sessions()
        for start in range(0, len(held), _SESSIONS_AT_ONCE):
            some = held[start : start + _SESSIONS_AT_ONCE]
            self._cache.forget(await database.SUPERVISOR.read(access.gone, some))
        await self._tool_servers.sweep()

    async def close(self) -> None:
        """Close every agent, then the connections to tool servers, and the providers' clients."""
        if self._preloading is not None:
            await self._preloading
        await self._cache.close_all()
        await self._tool_servers.close()
        await self._providers.aclose()

    def statistics(self) -> Statistics:
        """Return what the cache holds and has done."""
        return self._cache.statistics()


async def search_chats(user_id: int, query: str, limit: int) -> list[str]:
    """Search a user's own messages for their agent's tool; one line per hit."""
    hits = await database.of(user_id).read(search, user_id, query, limit)
    return [" ".join(hit.snippet.split()) for hit in hits]


async def remembers(user_id: int, session_id: str) -> bool:
    """Tell a user's agent whether their memory is on in a session."""
    return await database.of(user_id).read(_remembers, user_id, UUID(session_id))


def _remembers(user_id: int, session_id: UUID) -> bool:
    return memory.is_enabled(user_id) and memory.is_on(access.chat_session(user_id, session_id))


def session_key(user_id: int) -> str:
    """Return the routing address that groups all sessions of a user."""
    return f"agent:main:web:dm:{user_id}"
