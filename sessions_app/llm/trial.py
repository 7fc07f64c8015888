"""Ask a model for a word, to learn whether it answers: a real request, of a few tokens, with a short time-out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from sessions_app.llm.cache_clock.pauses import NEVER
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.rows import Row
from sessions_app.llm.endpoint import Endpoint
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.step import Step

SECONDS = 15.0
"""The longest that is waited for the first word or thought."""
_SETTINGS = ProviderSettings(timeout=SECONDS, longest_wait=SECONDS, max_answer=100, retries=0)


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether a model has answered, in a sentence that holds nothing of what its server said, nor the key."""

    answers: bool
    text: str


def try_model(model: str, endpoint: Endpoint | None) -> Trial:
    """Ask a model, in the caller's thread and an event loop of its own."""
    return asyncio.run(_tried(model, endpoint))


async def _tried(model: str, endpoint: Endpoint | None) -> Trial:
    providers, began = Providers(_SETTINGS), time.monotonic()
    transcript = CachedTranscript("trial", FrozenPrefix("", ()), model, [Row("user", "Say: yes")])
    transcript.endpoint, transcript.user_pauses = endpoint, NEVER
    try:
        async with asyncio.timeout(2 * SECONDS), Step(providers, transcript) as step:
            async for _ in step:
                break  # that it begins to answer is what was asked
    except TimeoutError:
        return Trial(False, f"It does not answer: nothing came for {2 * SECONDS:g} seconds.")
    except (ProviderError, ContentError) as error:
        return Trial(False, f"It does not answer. {error.text}")
    finally:
        await providers.aclose()
    return Trial(True, f"It answers: the first word came after {time.monotonic() - began:.1f} seconds.")
