"""One step: one request to a model, and its answer as it streams."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from .accounting import Sent, account
from .answers import parts_of, tool_calls
from .errors import ProviderError
from .failures import judge, record
from .ledger import Entry, digest
from .memory import Transcript
from .pieces import Piece, StepResult, Usage
from .providers import DEMO, LiveModel, Providers, parameters_of
from .streaming import Unfolding
from .unicode import clean

if TYPE_CHECKING:
    from pydantic_ai.models import StreamedResponse

    from .wire import Splice

T = TypeVar("T")

LONGEST_NAME = 200
"""Characters of a model's name that are kept; some servers call a model by its whole path."""

MOST_TOKENS = 100_000_000
"""Tokens of one request that are believed: more than any model takes, and few enough that what a turn's requests sum to
and cost fits its columns."""

FIRST_PAUSE = 0.5
"""Seconds before the first retry, where the provider names no time; doubled for each further one, and jittered."""


class Step:
    """A request under way. `async with stream_step(...) as step: async for piece in step: ...; step.result`.

    Raises ProviderError from the loop. Leaving the block early (break, error, cancellation) ends the request;
    `result`, once the block is left, holds what was yielded so far.
    """

    def __init__(self, providers: Providers, transcript: Transcript) -> None:
        self._providers = providers
        self._transcript = transcript
        self._timeout = providers.settings.timeout
        self._deadline = 0.0
        self._unfolding = Unfolding()
        self._live: LiveModel | None = None
        self._stream: StreamedResponse | None = None
        self._sent: Sent | None = None
        self._entry: Entry | None = None
        self._ended = False
        self._pieces = self._run()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pieces.aclose()
        self._entry = self._account()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Piece:
        return await anext(self._pieces)

    async def _run(self) -> AsyncGenerator[Piece, None]:
        self._deadline = asyncio.get_running_loop().time() + self._timeout
        self._live = await self._in_time(self._providers.live(self._transcript.model))
        if self._live.client is not None:
            from .rehearsal import rehearse

            await rehearse(self._live, self._transcript)
        attempt = 1
        while True:
            try:
                async for piece in self._attempt(self._live):
                    yield piece
                return
            except ProviderError:
                raise
            except Exception as error:
                record(self._transcript.model, error, attempt=attempt)
                await self._pause_or_give_up(error, attempt)
                attempt += 1

    async def _attempt(self, live: LiveModel) -> AsyncGenerator[Piece, None]:
        async with AsyncExitStack() as stack:
            stream, splice = await self._in_time(open_stream(live, self._transcript, stack))
            self._stream = stream
            self._sent = _sent(self._transcript, splice)
            events = aiter(stream)
            while (event := await self._in_time(anext(events, None))) is not None:
                for piece in self._unfolding.pieces(event):
                    yield piece
                self._deadline = asyncio.get_running_loop().time() + self._timeout
            self._end(stream, splice)

    async def _in_time(self, awaitable: Awaitable[T]) -> T:
        """Await it until the deadline, which each word from the provider moves on."""
        try:
            async with asyncio.timeout_at(self._deadline):
                return await awaitable
        except TimeoutError as error:
            self._give_up_waiting(error)

    def _give_up_waiting(self, error: TimeoutError) -> NoReturn:
        record(self._transcript.model, error, attempt=0)
        text = f"The model's provider said nothing for {self._timeout:g} seconds."
        raise ProviderError("timeout", text) from error

    async def _pause_or_give_up(self, error: Exception, attempt: int) -> None:
        """Wait before the next attempt; raises ProviderError if there is to be none."""
        failure = judge(self._transcript.model, error)
        if self._unfolding.begun or not failure.retryable or attempt > self._providers.settings.retries:
            raise failure.error from error
        pause = FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 -- protects nothing
        pause = pause if failure.retry_after is None else failure.retry_after
        if failure.dropped and attempt == 1:
            pause = 0.0
        if asyncio.get_running_loop().time() + pause >= self._deadline:
            raise failure.error from error
        await asyncio.sleep(pause)

    def _end(self, stream: StreamedResponse, splice: Splice | None) -> None:
        """The stream has come to its end; was the answer whole?"""
        response = stream.get()
        broken = splice is not None and splice.answer is not None and not splice.answer.complete
        if broken or response.state == "incomplete" or response.finish_reason == "error":
            raise ProviderError("provider", "The model's provider broke off its answer.")
        if response.finish_reason == "content_filter" and not self._unfolding.begun:
            raise ProviderError("provider", "The model's provider declined to answer this.")
        self._ended = True

    @property
    def _model_name(self) -> str:
        """The provider's own name for the model; the session's where it gives none."""
        name: object = self._stream.model_name if self._stream is not None else None
        return clean(name if isinstance(name, str) and name else self._transcript.model)[:LONGEST_NAME]

    @property
    def result(self) -> StepResult:
        """What the answer has amounted to so far; see `StepResult`."""
        stream, live = self._stream, self._live
        parts: list[dict[str, Any]] | None = None
        if self._ended and stream is not None:
            parts = parts_of(stream.get(), self._transcript.model)
        return StepResult(
            text=self._unfolding.text,
            parts=parts,
            calls=tool_calls(parts),
            usage=usage_of(stream) if live is not None and live.name != DEMO else Usage(),
            provider=live.provider if live is not None else "",
            model=self._model_name,
            finish_reason=stream.finish_reason if self._ended and stream is not None else None,
            entry=self._entry,
        )

    def _account(self) -> Entry | None:
        """The request's line in the ledger, if the provider has counted it."""
        stream, live, sent = self._stream, self._live, self._sent
        if stream is None or live is None or sent is None or live.name == DEMO:
            return None
        usage = usage_of(stream)
        if not usage.input_tokens:
            return None
        # Pydantic AI sets what the provider has told, zero included.
        reported = "cache_read_tokens" in vars(stream.usage)
        return account(self._transcript, live, sent, usage, self._model_name, reported=reported)


def _sent(transcript: Transcript, splice: Splice | None) -> Sent:
    """The request as it has just left, and begins to be answered."""
    rows, wire = transcript.sent()
    prefix = splice.prefix if splice else digest(transcript.model + transcript.frozen)
    return Sent(prefix, rows, wire, time.time())


def usage_of(stream: StreamedResponse | None) -> Usage:
    """Tokens as the provider has counted them so far, cut down to what can be: nonsense must not cost the answer."""
    if stream is None:
        return Usage()
    usage = stream.usage
    prompt, answer = _believed(usage.input_tokens, MOST_TOKENS), _believed(usage.output_tokens, MOST_TOKENS)
    cached = _believed(usage.cache_read_tokens, prompt)
    return Usage(
        input_tokens=prompt,
        cached_tokens=cached,
        cache_write_tokens=_believed(usage.cache_write_tokens, prompt - cached),
        output_tokens=answer,
        reasoning_tokens=_believed(usage.output_reasoning_tokens, answer),
    )


def _believed(count: object, most: int) -> int:
    """A count between none and `most`; no library on the way checks what a server calls a number."""
    return min(max(int(count), 0), most) if isinstance(count, int) else 0


async def open_stream(
    live: LiveModel, transcript: Transcript, stack: AsyncExitStack
) -> tuple[StreamedResponse, Splice | None]:
    """Send the request; the stream is closed with the stack."""
    from pydantic_ai.direct import model_request_stream

    parameters = parameters_of(transcript.prefix)
    settings = live.settings(transcript.session_id)
    if live.client is None:
        request = model_request_stream(
            live.model, transcript.whole(), model_settings=settings, model_request_parameters=parameters
        )
        return await stack.enter_async_context(request), None
    from .wire import Splice, splice

    current = Splice(transcript.elements)
    token = splice.set(current)
    try:
        request = model_request_stream(
            live.model, transcript.fresh(), model_settings=settings, model_request_parameters=parameters
        )
        return await stack.enter_async_context(request), current
    finally:
        splice.reset(token)
        if current.added:  # else it never reached the wire, and its rows still wait
            transcript.keep(current.added)


def stream_step(providers: Providers, transcript: Transcript) -> Step:
    """Ask the transcript's model to go on from the transcript, whose last row is a user's or a tool's."""
    return Step(providers, transcript)
