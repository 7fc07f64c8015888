"""The live models of this process: one client per model string, shared by every agent."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sessions_app.llm.endpoint import Endpoint
from sessions_app.llm.failures import unusable
from sessions_app.llm.live_model import DEMO, LiveModel, spliced

OWN_CLIENTS = 20
"""Clients of endpoints that stay open, with their connections."""

KNOWN_WIRES = {"openai", "openai-responses", "openai-chat", "ollama", "anthropic"}
"""Providers whose requests are spliced (`wire`); any other gets its whole conversation mapped each time."""


EXTRAS = ("bedrock", "cohere", "google", "groq", "huggingface", "mistral", "xai")
"""Families of models whose packages HERMES_EXTRAS installs (requirements-extras.in)."""

_EXTRA = re.compile(r"pydantic-ai-slim\[([\w-]+)\]")


def check_model(name: str) -> None:
    """Refuse a model string with which no session could be answered. Raises ValueError, which says why."""
    if name in ("", DEMO):
        return
    if name.endswith(":") or name.rstrip() != name:
        raise ValueError("it must end with the name of a model")
    # Importing a provider costs most of a second: only who names one pays.
    from pydantic_ai.exceptions import UserError
    from pydantic_ai.models import infer_model

    try:
        infer_model(name)
    except ImportError as error:
        raise ValueError(_how_to_install(error)) from error
    except (UserError, ValueError) as error:
        raise ValueError(_line(error)) from error


def _how_to_install(error: ImportError) -> str:
    """Say what installs a family's package; what it is called is in the library's own words alone."""
    found = _EXTRA.search(str(error))
    if found is None or found[1] not in EXTRAS:
        return _line(error)
    return (
        f"its package is not installed, which HERMES_EXTRAS={found[1]} make run does (in the image: its build argument)"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


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


Source = tuple[str, Endpoint | None]
"""A model string, and where it answers if not where the environment says."""


class Providers:
    """Process-wide; belongs to the event loop that uses it. Clients are made when a step first needs them.

    Of the clients of endpoints the latest OWN_CLIENTS stay open, so that keys which were replaced do not pile up.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self._models: dict[Source, asyncio.Task[LiveModel]] = {}
        self._uses: Counter[Source] = Counter()

    @asynccontextmanager
    async def using(self, name: str, endpoint: Endpoint | None) -> AsyncIterator[LiveModel]:
        """A model for one request: its client stays open meanwhile. Raises ProviderError."""
        self._uses[name, endpoint] += 1
        try:
            yield await self.live(name, endpoint)
        finally:
            self._uses[name, endpoint] -= 1
            if endpoint is not None:
                await self._close_old()

    async def live(self, name: str, endpoint: Endpoint | None = None) -> LiveModel:
        """The model of that string. Imports and certificates are read in a thread. Raises ProviderError."""
        source = (name, endpoint)
        # The one used last comes last.
        task = self._models.pop(source, None) or asyncio.create_task(asyncio.to_thread(self._build, name, endpoint))
        self._models[source] = task
        try:
            return await asyncio.shield(task)
        except Exception as error:
            # What was missing may be there the next time.
            if self._models.get(source) is task:
                del self._models[source]
            raise unusable(name, error) from error

    async def _close_old(self) -> None:
        """Close the clients of endpoints that have not been used for longest, and are not in use."""
        own = [source for source in self._models if source[1] is not None]
        idle = [source for source in own if not self._uses[source]]
        old = idle[: max(0, len(own) - OWN_CLIENTS)]
        for source in old:
            del self._uses[source]
        await _close([self._models.pop(source) for source in old])

    def _build(self, name: str, endpoint: Endpoint | None) -> LiveModel:
        if name == DEMO:
            from sessions_app.llm.demo import demo_model

            return LiveModel(name, demo_model(self.settings.demo_pause))
        from pydantic_ai.models import infer_model

        if name.partition(":")[0] not in KNOWN_WIRES:
            return LiveModel(name, infer_model(name))
        from sessions_app.llm.wire.answering import answered

        return spliced(name, answered, endpoint)

    async def aclose(self) -> None:
        """Close every client; steps under way fail."""
        tasks = list(self._models.values())
        self._models.clear()
        await _close(tasks)


async def _close(tasks: Iterable[asyncio.Task[LiveModel]]) -> None:
    """Close what was built; what could not be built concerns nobody here."""
    for built in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(built, LiveModel) and built.client is not None:
            await built.client.aclose()
