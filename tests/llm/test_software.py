"""The digest of the software: of all modules that make a request's bytes, and of none that only read answers."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import pytest
from pydantic_ai.exceptions import ModelAPIError

from sessions_app.llm.cache_ledger import software
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.codec import decode, encode
from sessions_app.llm.content.rows import Row
from sessions_app.llm.deadline import Deadline
from sessions_app.llm.providers import Providers
from sessions_app.llm.request import AnswerLimits, open_stream, prepare
from tests.llm.talking import ONE_IN_THE_SUITE, PREFIX, Session
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

LLM = Path(software.__file__).parents[1]
HASHED = set(software.modules().values())


class Profile:
    """Notes the files of the package whose code runs, from `start` to `stop`."""

    def __init__(self) -> None:
        self.files: set[Path] = set()

    def start(self) -> None:
        sys.setprofile(self._note)

    def stop(self) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(LLM)):
            self.files.add(Path(frame.f_code.co_filename))


@pytest.mark.parametrize("model", ONE_IN_THE_SUITE)
async def test_modules_that_run_while_a_request_is_made_are_hashed(
    provider: Provider, providers: Providers, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(providers, model)
    for number in range(8):
        provider.script(Answer(reasoning=["Hm."], calls=[Call("calculator", '{"expression": "1"}')]), Answer(["One."]))
        await session.turn(f"number {number}")
    stored = [(row, encode(row.parts)) for row in session.rows]
    live, profile = await providers.live(model), Profile()

    async def sent(transport: Any, request: httpx2.Request) -> httpx2.Response:
        profile.stop()
        raise httpx2.ConnectError("it has left")

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", sent)
    deadline = Deadline(60, 60)
    profile.start()
    try:
        rows = [Row(row.role, row.text, decode(parts), row.status, row.position) for row, parts in stored]
        transcript = CachedTranscript("s", PREFIX, model, [*rows, Row("user", "and now?", position=len(rows))])
        await prepare(live, transcript)
        async with AsyncExitStack() as stack:
            with pytest.raises(ModelAPIError):
                await open_stream(live, transcript, stack, deadline, AnswerLimits(1_000))
    finally:
        profile.stop()
    ran = {file.relative_to(LLM).with_suffix("").as_posix() for file in profile.files}
    assert profile.files <= HASHED
    assert ran > {
        "cached_transcript",
        "content/codec",
        "content/history",
        "live_model",
        "row_templates",
        "wire/splicing",
    }


def test_modules_that_make_no_request_are_not_hashed() -> None:
    names = {name.removeprefix("sessions_app.llm.") for name in software.modules()}
    assert not names & {"demo", "failures", "step", "stream_events", "wire.answer", "wire.chat", "tools.calculator"}
    assert "content.restored" in names
