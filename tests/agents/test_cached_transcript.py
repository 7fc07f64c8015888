"""What a transcript in memory says of its size: the cache's bound on bytes is only as true as that."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from pydantic_ai.messages import ModelResponse, ToolCallPart

from sessions_app.agents.cached_transcript import CachedTranscript
from sessions_app.agents.content.response_parts import parts_of
from sessions_app.agents.content.rows import Row, tool_row

from .talking import PREFIX


def short_texts() -> list[Row]:
    return [Row("user" if number % 2 == 0 else "assistant", f"ok {number}") for number in range(1000)]


def calls() -> list[Row]:
    rows = []
    for number in range(400):
        called = ModelResponse(parts=[ToolCallPart("calculator", f'{{"expression":"{number} + 0"}}', f"call_{number}")])
        answer = Row("assistant", "", parts_of(called, "demo"))
        rows += [Row("user", f"{number}?"), answer, tool_row(f"call_{number}", "calculator", str(number))]
    return rows


@pytest.mark.parametrize("rows", [short_texts, calls])
def test_messages_kept_as_objects_count_with_what_they_weigh(rows: Callable[[], list[Row]]) -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        transcript = CachedTranscript("s", PREFIX, "demo", rows())
        transcript.whole()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held / 2 < transcript.size < held * 2


def test_rows_that_wait_count_as_soon_as_they_are_taken_in() -> None:
    transcript = CachedTranscript("s", PREFIX, "demo")
    for row in short_texts():
        before = transcript.size
        transcript.append(row)
        assert transcript.size > before + 100
