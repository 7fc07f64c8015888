"""One step: one request to a model, and its answer as it streams."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, cast

from sessions_app.llm import spans
from sessions_app.llm.accounting import Sent, account, choose_retention, comparable_response
from sessions_app.llm.cache_clock.choice import Choice
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.diagnoses import diagnosis_of
from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.cache_ledger.requests import digest
from sessions_app.llm.cached_transcript import CachedTranscript, content_bytes
from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.content.parts import Parts, tool_calls
from sessions_app.llm.content.response_parts import are_whole, kept_thought, of_clients, parts_of
from sessions_app.llm.content.unicode import clean
from sessions_app.llm.deadline import Deadline, DeadlineError
from sessions_app.llm.errors import Code, ProviderError
from sessions_app.llm.failures import TOO_LONG, classify, record
from sessions_app.llm.finish import Finish
from sessions_app.llm.live_model import DEMO, LiveModel
from sessions_app.llm.providers import Providers
from sessions_app.llm.request import AnswerLimits, open_stream, prepare
from sessions_app.llm.step_events import StepEvent, StepResult
from sessions_app.llm.stream_events import AnswerEvents
from sessions_app.llm.usage import Usage, usage_of

if TYPE_CHECKING:
    from pydantic_ai.models import StreamedResponse

    from sessions_app.llm.wire.splicing import Splice

MAX_NAME_CHARACTERS = 200
"""Characters of a model's name that are kept; some servers call a model by its whole path."""

FIRST_RETRY_SECONDS = 0.5
"""Seconds before the first retry, where the provider names no time; doubled for each further one, and jittered."""


UNSPLICED: dict[str, Finish] = {"length": "length", "content_filter": "content_filter"}
"""Pydantic AI's words for an answer that is not whole, of providers whose wire is not read here."""

EMPTY: dict[Finish | None, tuple[Code, str]] = {
    None: ("empty", "The model gave no answer."),
    "length": ("empty", "The model used up the length of its answer before it said a word."),
    "pause": ("empty", "The model's provider paused before the model said a word."),
    "context": ("context", TOO_LONG),
    "content_filter": ("provider", "The model's provider declined to answer this."),
    "refusal": ("provider", "The model declined to answer this."),
}
"""What an answer without a word comes to, by how it ended."""


class Step:
    """One request to the transcript's model, whose last row is a user's or a tool's; an answer of `longest` characters.

    `most_tokens` are what the provider is told that it may have at most, None where nothing bounds it.
    `is_last` where no other request will go on from this one: then its prompt need not be kept. With a `choice` it is
    settled already for how long that is to be kept.

    `async with Step(...) as step: async for step_event in step: ...; step.result`. The loop raises ProviderError, and
    ContentError for a transcript that cannot be sent. Leaving the block early (break, error, cancellation) ends the
    request; `result`, once the block is left, holds what was yielded so far.
    """

    def __init__(
        self,
        providers: Providers,
        transcript: CachedTranscript,
        longest: int | None = None,
        *,
        most_tokens: int | None = None,
        is_last: bool = False,
        choice: Choice | None = None,
    ) -> None:
        self._is_last = is_last
        self._most_tokens = most_tokens
        self._longest = longest or providers.settings.max_answer
        self._providers = providers
        self._transcript = transcript
        self._deadline = Deadline(providers.settings.timeout, providers.settings.longest_wait)
        self._answer = AnswerEvents(self._longest)
        self._live: LiveModel | None = None
        self._stream: StreamedResponse | None = None
        self._choice = choice
        self._sent: Sent | None = None
        self._entry: Entry | None = None
        self._ended = False
        self._finish: Finish | None = None
        self._step_events = self._run()

    async def __aenter__(self) -> Self:
        self._span = spans.begin_request(self._transcript.model, self._transcript.session_id)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._step_events.aclose()
        for _ in self._answer.end():
            pass  # what might have become a tag is kept also of an answer that was cut
        self._entry = self._account()
        spans.end_request(self._span, self.result, error)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StepEvent:
        return await anext(self._step_events)

    async def _run(self) -> AsyncGenerator[StepEvent, None]:
        try:
            async with aclosing(self._attempts()) as step_events:
                async for step_event in step_events:
                    yield step_event
        except DeadlineError as error:
            self._give_up_waiting(error)

    async def _attempts(self) -> AsyncGenerator[StepEvent, None]:
        async with AsyncExitStack() as stack:
            using = self._providers.using(self._transcript.model, self._transcript.endpoint)
            self._live = await self._deadline.wait(stack.enter_async_context(using))
            await prepare(self._live, self._transcript)
            if self._choice is None:
                self._choice = choose_retention(self._transcript, self._live, time.time(), self._is_last)
            step_events = await stack.enter_async_context(aclosing(self._tried(self._live)))
            async for step_event in step_events:
                yield step_event

    async def _tried(self, live: LiveModel) -> AsyncGenerator[StepEvent, None]:
        attempt = 1
        while True:
            try:
                async with aclosing(self._attempt(live)) as step_events:
                    async for step_event in step_events:
                        yield step_event
                return
            except (ProviderError, DeadlineError, ContentError):
                raise
            except Exception as error:
                record(self._transcript.model, error, attempt=attempt)
                await self._pause_or_give_up(error, attempt)
                attempt += 1

    async def _attempt(self, live: LiveModel) -> AsyncGenerator[StepEvent, None]:
        async with AsyncExitStack() as stack:
            retention = self._choice.retention if self._choice else Retention.SHORT
            compared_to = comparable_response(self._transcript, live)
            limits = AnswerLimits(self._longest, self._most_tokens)
            stream, splice = await self._deadline.wait(
                open_stream(live, self._transcript, stack, self._deadline, limits, retention, compared_to)
            )
            self._stream = stream
            self._sent = _sent(self._transcript, splice, self._choice)
            events = aiter(stream)
            while not self._answer.full and (event := await self._deadline.wait(anext(events, None))) is not None:
                for step_event in self._answer.read(event):
                    with self._deadline.not_counted():
                        yield step_event
                if splice is None:
                    self._deadline.heard_word()
            for step_event in self._answer.end():
                yield step_event
            self._end(stream, splice)

    def _give_up_waiting(self, error: DeadlineError) -> NoReturn:
        record(self._transcript.model, error, attempt=0)
        nothing = "said nothing" if error.silent else "sent no word of an answer"
        raise ProviderError("timeout", f"The model's provider {nothing} for {error.waited:g} seconds.") from error

    async def _pause_or_give_up(self, error: Exception, attempt: int) -> None:
        """Wait before the next attempt; raises ProviderError if there is to be none."""
        failure = classify(self._transcript.model, error)
        if self._answer.begun or not failure.retryable or attempt > self._providers.settings.retries:
            raise failure.error from error
        pause = FIRST_RETRY_SECONDS * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # nosec B311
        pause = pause if failure.retry_after is None else failure.retry_after
        if failure.dropped and attempt == 1:
            pause = 0.0
        if asyncio.get_running_loop().time() + pause >= self._deadline.at:
            raise failure.error from error
        await asyncio.sleep(pause)

    def _end(self, stream: StreamedResponse, splice: Splice | None) -> None:
        """The answer has come to its end; was it whole, and was there a word in it?"""
        if self._answer.full:
            self._finish = "length"
        else:
            self._finish = _finish_of(stream, splice)
            self._ended = True
        result = self.result
        if not result.text.strip() and not result.calls:
            self._ended = False
            raise ProviderError(*EMPTY[self._finish])

    @property
    def _model_name(self) -> str:
        """The provider's own name for the model; the session's where it gives none."""
        name: object = self._stream.model_name if self._stream is not None else None
        return clean(name if isinstance(name, str) and name else self._transcript.model)[:MAX_NAME_CHARACTERS]

    @property
    def result(self) -> StepResult:
        """What the answer has amounted to so far; see `StepResult`."""
        stream, live = self._stream, self._live
        parts: Parts = ()
        if self._ended and stream is not None:
            parts = of_clients(parts_of(stream.get(), self._transcript.model), self._transcript.prefix.client_tools)
        if not self._ended or (self._finish and not are_whole(tool_calls(parts))):
            # An answer that was cut is nothing to go back as it came, and a call that was cut is no call.
            parts = kept_thought(self._answer.reasoning)
        return StepResult(
            text=self._answer.text,
            parts=parts,
            calls=tool_calls(parts),
            usage=usage_of(stream) if live is not None and live.name != DEMO else Usage(),
            provider=live.provider if live is not None else "",
            model=self._model_name,
            finish=self._finish,
            entry=self._entry,
            began=stream is not None and live is not None and live.name != DEMO,
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
        answered = content_bytes(self._answer.text, parts_of(stream.get(), self._transcript.model))
        return account(
            self._transcript,
            live,
            sent,
            usage,
            self._model_name,
            reported=reported,
            answered=answered,
            diagnosis=diagnosis_of(stream.provider_response_id, stream.provider_details),
        )


def _finish_of(stream: StreamedResponse, splice: Splice | None) -> Finish | None:
    """Why an answer that has come to its end is not whole. Raises ProviderError where it has broken off."""
    reader = splice.answer if splice is not None else None
    if reader is not None and reader.ended:
        return reader.finish
    response = stream.get()
    if reader is not None or response.state == "incomplete" or response.finish_reason == "error":
        raise ProviderError("provider", "The model's provider broke off its answer.")
    return UNSPLICED.get(cast(str, response.finish_reason))


def _sent(transcript: CachedTranscript, splice: Splice | None, choice: Choice | None) -> Sent:
    """The request as it has just left, and begins to be answered."""
    rows, wire = transcript.sent()
    prefix = splice.prefix if splice else digest(transcript.model + transcript.frozen)
    return Sent(prefix, rows, wire, time.time(), choice)
