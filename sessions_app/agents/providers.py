"""The live models of this process: one client per model string, shared by every agent."""

from __future__ import annotations

import asyncio
import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .failures import unusable
from .ledger import Caching
from .prefix import FrozenPrefix

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

DEMO = "demo"

KNOWN_WIRES = {"openai", "openai-responses", "openai-chat", "ollama", "anthropic"}
"""Providers whose requests are spliced (`wire`); any other gets its whole conversation mapped each time."""

MAX_CONNECTIONS = 1000

OPENAI = "https://api.openai.com"
OPENAI_MINIMUM = 1024
"""Tokens of the shortest prompt that OpenAI caches (its guide on prompt caching)."""

DROP_STALE_THINKING = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
"""For the models that bind a thinking block to all that was said before it: when somebody rewrites a transcript,
later blocks are to be ignored; the default is to refuse the request. These models think adaptively anyway."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What bounds a request: HERMES_PROVIDER_TIMEOUT (seconds without a byte), HERMES_PROVIDER_LONGEST_WAIT (seconds of
    bytes alone, without a word or a thought), HERMES_MAX_ANSWER (characters), HERMES_PROVIDER_RETRIES.

    `demo_pause`: the demo model's pauses (seconds).
    """

    timeout: float = 120.0
    longest_wait: float = 600.0
    max_answer: int = 1_000_000
    retries: int = 2
    demo_pause: float = 0.018


@dataclass(frozen=True, slots=True)
class LiveModel:
    """A model with its client. `client` is set where the wire is known, and then requests are spliced."""

    name: str
    model: Model
    client: httpx2.AsyncClient | None = None

    @property
    def provider(self) -> str:
        """The provider's name, for usage."""
        return DEMO if self.name == DEMO else self.model.system

    @property
    def base_url(self) -> str:
        """The provider's address, by which its prices are known."""
        return self.model.base_url or ""

    def caching(self, session_id: str) -> Caching:
        """How the provider caches prompts, as far as it has told anybody."""
        retention = self.model.resolve_cache_retention(self.settings(session_id))
        retention = retention or self.model.profile.get("default_cache_retention")
        return Caching(
            retention=retention.total_seconds() if retention else None,
            minimum=OPENAI_MINIMUM if self.base_url.startswith(OPENAI) else 0,
            writes=self.provider == "anthropic",
        )

    def settings(self, session_id: str) -> ModelSettings:
        """Request settings. None of them alters an element of the conversation.

        Responses are not stored with the provider (what must go back is stored with the row), and a session's
        requests are routed to one cache. Anthropic is given three breakpoints of its four: it moves the one at the end
        of the conversation forward by itself; those behind the tools and the system prompt are found again by another
        session of the same profile, and after an edit of something said early.
        """
        settings: dict[str, Any] = {}
        match self.name.partition(":")[0]:
            case "openai" | "openai-responses":
                settings = {"openai_store": False, "openai_prompt_cache_key": session_id}
            case "openai-chat" | "ollama":
                # Some servers count in each chunk. This asks for nothing: the splice takes it out of the request.
                settings = {"openai_continuous_usage_stats": True}
                if self.base_url.startswith(OPENAI):
                    # Other servers may refuse what they do not know.
                    settings["openai_prompt_cache_key"] = session_id
            case "anthropic":
                settings = {
                    "anthropic_cache": True,
                    "anthropic_cache_instructions": True,
                    "anthropic_cache_tool_definitions": True,
                }
                if self.model.profile.get("anthropic_binds_thinking_blocks"):
                    settings["anthropic_thinking"] = DROP_STALE_THINKING
        return settings  # type: ignore[return-value]  # each provider's settings are a TypedDict of its own


class Providers:
    """Process-wide; belongs to the event loop that uses it. Clients are made when a step first needs them."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self._models: dict[str, asyncio.Task[LiveModel]] = {}

    async def live(self, name: str) -> LiveModel:
        """The model of that string. Imports and certificates are read in a thread. Raises ProviderError."""
        task = self._models.get(name)
        if task is None:
            task = self._models[name] = asyncio.create_task(asyncio.to_thread(self._build, name))
        try:
            return await asyncio.shield(task)
        except Exception as error:
            # What was missing may be there the next time.
            if self._models.get(name) is task:
                del self._models[name]
            raise unusable(name, error) from error

    def _build(self, name: str) -> LiveModel:
        if name == DEMO:
            from .demo import demo_model

            return LiveModel(name, demo_model(self.settings.demo_pause))
        from pydantic_ai.models import infer_model

        if name.partition(":")[0] not in KNOWN_WIRES:
            return LiveModel(name, infer_model(name))
        return _spliced(name)

    async def aclose(self) -> None:
        """Close every client; steps under way fail."""
        tasks = list(self._models.values())
        self._models.clear()
        for built in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(built, LiveModel) and built.client is not None:
                await built.client.aclose()


def _spliced(name: str) -> LiveModel:
    """A model whose requests go through our transport. Retries and time-outs are `step`'s alone."""
    import httpx2
    from pydantic_ai.models import infer_model
    from pydantic_ai.providers import Provider, infer_provider_class

    from .wire.transport import SplicingTransport

    transport = SplicingTransport()
    client = httpx2.AsyncClient(transport=transport, timeout=None)
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)

    def provider(provider_name: str) -> Provider[Any]:
        made = infer_provider_class(provider_name)(http_client=client)  # type: ignore[call-arg]
        made.client.max_retries, made.client.timeout = 0, None
        transport.connect(made.base_url, limits)
        return made

    return LiveModel(name, infer_model(name, provider_factory=provider), client)


@functools.lru_cache(maxsize=256)
def parameters_of(prefix: FrozenPrefix) -> ModelRequestParameters:
    """The prefix's tools as Pydantic AI takes them."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.tools import ToolDefinition

    return ModelRequestParameters(
        function_tools=[
            ToolDefinition(
                name=tool.name, description=tool.description, parameters_json_schema=json.loads(tool.parameters)
            )
            for tool in prefix.tools
        ]
    )
