"""One step: one request to a model, and its answer as it streams."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from .memory import Transcript
from .pieces import Piece, StepResult

if TYPE_CHECKING:
    from .providers import Providers


class Step:
    """A request under way. `async with stream_step(...) as step: async for piece in step: ...; step.result`.

    Raises ProviderError from the loop. Leaving the block early (break, error, cancellation) ends the request;
    `result` then holds what was yielded so far.
    """

    result: StepResult

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def __aiter__(self) -> Self:
        raise NotImplementedError

    async def __anext__(self) -> Piece:
        raise NotImplementedError


def stream_step(providers: Providers, transcript: Transcript) -> Step:
    """Ask the transcript's model to go on from the transcript, whose last row is a user's or a tool's."""
    raise NotImplementedError
