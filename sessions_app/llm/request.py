"""A request to a model: made of a transcript and sent, its new elements kept for the next one.

What this module imports, directly or not, is what makes a request's bytes (`cache_ledger.software`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.files import missing
from sessions_app.llm.grouping import groups_of
from sessions_app.llm.images import shown
from sessions_app.llm.live_model import LiveModel, parameters_of
from sessions_app.llm.sampling import settings_of
from sessions_app.llm.wire.splicing import Splice, splice

if TYPE_CHECKING:
    from pydantic_ai.models import StreamedResponse

    from sessions_app.llm.deadline import Deadline


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """How long an answer may be: the `characters` that are taken of it, and the `tokens` that its provider is told.

    None where the provider is told nothing. No prompt depends on it (`wire.splicing.BESIDE`).
    """

    characters: int
    tokens: int | None = None


async def prepare(live: LiveModel, transcript: CachedTranscript) -> None:
    """Serialise ahead of the request what it would be too much for; not for models whose wire is not known."""
    if live.client is not None:
        from sessions_app.llm.preserialize import preserialize

        await preserialize(live, transcript)


async def _images(transcript: CachedTranscript) -> Mapping[str, bytes]:
    """The pictures of the next request, as base64. Raises ContentError."""
    names = transcript.image_names()
    if not names:
        return {}
    if transcript.images is None:
        raise missing(names[0])
    return await transcript.images.load(names)


async def open_stream(
    live: LiveModel,
    transcript: CachedTranscript,
    stack: AsyncExitStack,
    deadline: Deadline,
    limits: AnswerLimits,
    retention: Retention = Retention.SHORT,
    compared_to: str = "",
) -> tuple[StreamedResponse, Splice | None]:
    """Send the request, to be kept for so long; the stream is closed with the stack. Raises ContentError.

    `compared_to`: see `LiveModel.settings`.
    """
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.settings import merge_model_settings

    parameters = parameters_of(transcript.prefix)
    images = await _images(transcript)
    wanted = settings_of(live.name, transcript.sampling)
    settings = merge_model_settings(live.settings(transcript.session_id, retention, compared_to), cast(Any, wanted))
    if settings is not None and limits.tokens is not None:
        settings["max_tokens"] = min(limits.tokens, settings.get("max_tokens", limits.tokens))
    if live.client is None:
        request = model_request_stream(
            live.model, shown(transcript.whole(), images), model_settings=settings, model_request_parameters=parameters
        )
        return await stack.enter_async_context(request), None
    current = Splice(
        transcript.elements,
        on_bytes=deadline.heard_bytes,
        on_words=deadline.heard_word,
        on_end=deadline.lift,
        max_answer=limits.characters,
        images=images,
    )
    sections = transcript.waiting()
    token = splice.set(current)
    try:
        request = model_request_stream(
            live.model, transcript.messages(sections), model_settings=settings, model_request_parameters=parameters
        )
        return await stack.enter_async_context(request), current
    finally:
        splice.reset(token)
        # Else it never reached the wire, and its rows still wait.
        if current.added:
            transcript.keep(chain.from_iterable(map(groups_of, sections, current.added)))
