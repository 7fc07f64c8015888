"""A transcript in memory: what it says of its size, which the cache's bound on bytes relies on, and how it is cut.

That a transcript which was cut makes the bytes of one that is read anew is tested with the wires (`test_wire`).
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic_ai.messages import ModelResponse, ToolCallPart

from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.history import OPENING
from sessions_app.llm.content.response_parts import parts_of
from sessions_app.llm.content.rows import Row, tool_row
from tests.llm.talking import PREFIX


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


def placed(*rows: Row) -> list[Row]:
    """The rows at positions with gaps, as a branch has them."""
    return [replace(row, position=10 + 3 * index) for index, row in enumerate(rows)]


def test_rows_that_wait_can_be_cut_at_any_place() -> None:
    rows = placed(*calls()[:6])
    for cut in range(6):
        transcript = CachedTranscript("s", PREFIX, "demo", rows)
        assert transcript.truncate(rows[cut].position)
        shorter = CachedTranscript("s", PREFIX, "demo", rows[:cut])
        assert [row for group in transcript.waiting() for row in group] == rows[:cut]
        assert (transcript.sent(), transcript.size) == (shorter.sent(), shorter.size)


def test_a_cut_behind_the_last_row_changes_nothing() -> None:
    rows = placed(*short_texts()[:4])
    transcript = CachedTranscript("s", PREFIX, "demo", rows)
    before = transcript.sent()
    assert transcript.truncate(rows[-1].position + 1)
    assert transcript.sent() == before


def test_a_cut_transcript_begun_by_an_answer_gets_an_opening() -> None:
    rows = placed(Row("user", "a"), Row("assistant", "b"))
    transcript = CachedTranscript("s", PREFIX, "demo", rows)
    assert transcript.truncate(0)
    transcript.append(Row("assistant", "c", position=10))
    assert [row.text for group in transcript.waiting() for row in group] == [OPENING, "c"]


def test_messages_kept_as_objects_must_be_read_again() -> None:
    rows = placed(*short_texts()[:4])
    transcript = CachedTranscript("s", PREFIX, "demo", rows)
    messages = transcript.whole()
    assert not transcript.truncate(rows[1].position)
    assert transcript.whole() == messages


def test_a_serialised_row_weighs_little_more_than_its_bytes() -> None:
    element = b'{"role":"user","content":"%04d"}'
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = CachedTranscript("s", PREFIX, "openai-chat:m")
        for number in range(5_000):
            kept.append(Row("user", f"{number:04d}", position=number))
            kept.keep([(1, [element % number])])
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held / 5_000 < len(element) + 100
    assert held / 2 < kept.size < held * 2
