"""A model with its client, and what each request to it is given besides its conversation."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.requests import Caching
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.endpoint import Endpoint
from sessions_app.llm.wire.unexamined import examine_nothing

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

    from sessions_app.llm.wire.transport import Answered

DEMO = "demo"

MAX_CONNECTIONS = 1000

OPENAI = "https://api.openai.com"
OPENAI_MINIMUM = 1024
"""Tokens of the shortest prompt that OpenAI caches (its guide on prompt caching)."""

ANTHROPIC_TIMES: dict[Retention, str | bool] = {
    Retention.NONE: False,
    Retention.SHORT: "5m",
    Retention.LONG: "1h",
}
"""Times to live of the breakpoint behind the conversation, as Anthropic takes them."""

DROP_STALE_THINKING = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
"""For the models that bind a thinking block to all that was said before it: when somebody rewrites a transcript,
later blocks are to be ignored; the default is to refuse the request. These models think adaptively anyway."""


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

    @property
    def diagnoses(self) -> bool:
        """Whether the provider says why its cache had less, where it is told the last answer's id; others refuse it."""
        knows = self.model.profile.get("openai_responses_supports_prompt_cache_diagnostics", False)
        return self.base_url.startswith(OPENAI) and bool(knows)

    @property
    def chooses(self) -> bool:
        """Whether each request chooses for how long its prompt is kept, at prices that are known."""
        return chooses_retention(self.name)

    def caching(self, session_id: str) -> Caching:
        """How the provider caches prompts that no time was chosen for, as far as it has told anybody."""
        settings = {} if self.chooses else self.settings(session_id)
        retention = self.model.resolve_cache_retention(settings)
        retention = retention or self.model.profile.get("default_cache_retention")
        return Caching(
            retention=retention.total_seconds() if retention else None,
            minimum=OPENAI_MINIMUM if self.base_url.startswith(OPENAI) else 0,
            writes=self.provider == "anthropic",
        )

    def settings(self, session_id: str, retention: Retention = Retention.SHORT, compared_to: str = "") -> ModelSettings:
        """Request settings. None of them alters an element of the conversation.

        Responses are not stored with the provider (what must go back is stored with the row), and a session's
        requests are routed to one cache. Anthropic is given three breakpoints of its four: it moves the one at the end
        of the conversation forward by itself; those behind the tools and the system prompt are found again by another
        session of the same profile, and after an edit of something said early. Those two are kept for an hour: they
        are written once for all sessions, and Anthropic wants the longest time first. `retention` is that of the
        third, behind the conversation. `compared_to` is the answer that OpenAI is to compare the request with.
        """
        settings: dict[str, Any] = {}
        match self.name.partition(":")[0]:
            case "openai" | "openai-responses":
                settings = {"openai_store": False, "openai_prompt_cache_key": session_id}
                if compared_to:
                    settings["openai_prompt_cache_options"] = {"comparison_response_id": compared_to}
            case "openai-chat" | "ollama":
                # Some servers count in each chunk. This asks for nothing: the splice takes it out of the request.
                settings = {"openai_continuous_usage_stats": True}
                if self.base_url.startswith(OPENAI):
                    # Other servers may refuse what they do not know.
                    settings["openai_prompt_cache_key"] = session_id
            case "anthropic":
                settings = {
                    "anthropic_cache": ANTHROPIC_TIMES[retention],
                    "anthropic_cache_instructions": "1h",
                    "anthropic_cache_tool_definitions": "1h",
                }
                if self.model.profile.get("anthropic_binds_thinking_blocks"):
                    settings["anthropic_thinking"] = DROP_STALE_THINKING
        return settings  # type: ignore[return-value]  # each provider's settings are a TypedDict of its own


def chooses_retention(name: str) -> bool:
    """Tell whether requests to a model choose for how long their prompts are kept, by its model string."""
    return name.partition(":")[0] == "anthropic"


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
            for tool in prefix.offered
        ]
    )


NO_KEY = "none"
"""What a server that wants no key is sent: the client wants one, and takes the environment's, which is for another."""


def spliced(name: str, answered: Answered, endpoint: Endpoint | None = None) -> LiveModel:
    """A model whose requests go through our transport, to `endpoint` or where the environment says.

    Retries and time-outs are `step`'s alone. Imports the provider, and reads certificates: not for the event loop.
    """
    import httpx2
    from pydantic_ai.models import infer_model
    from pydantic_ai.providers import Provider, infer_provider_class

    from sessions_app.llm.wire.transport import SplicingTransport

    transport = SplicingTransport(answered)
    client = httpx2.AsyncClient(transport=transport, timeout=None)
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)

    own = {"base_url": endpoint.base_url, "api_key": endpoint.api_key or NO_KEY} if endpoint else {}

    def provider(provider_name: str) -> Provider[Any]:
        made = infer_provider_class(provider_name)(http_client=client, **own)  # type: ignore[call-arg]
        made.client.max_retries, made.client.timeout = 0, None
        examine_nothing(made.client)
        if endpoint:
            _forget_environment(made.client)
        transport.connect(made.base_url, limits)
        return made

    return LiveModel(name, infer_model(name, provider_factory=provider), client)


def _forget_environment(client: Any) -> None:
    """Take from a client of OpenAI what it has read of the environment, which is for another server.

    That is the names of an organisation and a project, and headers, among which a key may be.
    """
    client.organization = client.project = None
    client._custom_headers = {}  # no argument keeps it from reading them
