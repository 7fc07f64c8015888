"""Which rows of a line are sent, and as what, where summaries and notes are among them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessions_app.llm.content.history import messages_of
from sessions_app.llm.content.parts import Note, Summary
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.rows import Row
from sessions_app.llm.content.summaries import SUMMARY, SUMMARY_OF_STEPS, said_of, sent_of

ROLES: list[Any] = ["user", "assistant"]
LINE = [Row(ROLES[position % 2], f"said {position}", position=position) for position in range(6)]


def summary(position: int, before: int, asked: int | None = None) -> Row:
    return Row("user", f"summary {position}", (Summary(before, asked),), position=position)


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        ([], []),
        (LINE, [0, 1, 2, 3, 4, 5]),
        ([*LINE, summary(6, 6)], [6]),
        ([*LINE, summary(6, 4)], [6, 4, 5]),
        ([*LINE[:5], summary(5, 4), replace(LINE[5], position=6)], [5, 4, 6]),
        ([*LINE, summary(6, 6, asked=4)], [6, 4]),
        ([*LINE, summary(6, 4), summary(7, 5)], [7, 5]),
        ([*LINE, summary(6, 4), summary(7, 0)], [0, 1, 2, 3, 4, 5]),
        ([*LINE, summary(6, 4, asked=9)], [6, 4, 5]),
        ([*LINE, summary(6, 4, asked=5)], [6, 4, 5]),
        ([*LINE[:3], summary(3, 103), replace(LINE[4], position=4)], [3, 4]),
        ([*LINE[:3], summary(3, 103, asked=100), replace(LINE[4], position=100)], [3, 100]),
    ],
)
def test_the_latest_summary_stands_in_the_place_of_what_it_covers(line: list[Row], sent: list[int]) -> None:
    assert [row.position for row in sent_of(line)] == sent


def test_a_summary_is_sent_in_the_users_place_under_a_heading() -> None:
    first, question = messages_of(FrozenPrefix("", ()), [*LINE, summary(6, 4)], model="demo")[:2]
    assert first.parts[0].content == f"{SUMMARY}\n\n<summary>\nsummary 6\n</summary>"  # type: ignore[union-attr]
    assert question.parts[0].content == "said 4"  # type: ignore[union-attr]


def test_a_summary_of_a_turns_own_steps_says_what_follows_it() -> None:
    assert said_of(summary(6, 6, asked=4)).startswith(SUMMARY_OF_STEPS)


def test_a_note_is_sent_as_it_is() -> None:
    assert said_of(Row("user", "Remember this.", (Note(),))) == "Remember this."
