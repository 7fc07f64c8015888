"""Which elements are of which rows, counted from the end of a section. (`test_wire` compares with the SDKs.)"""

from __future__ import annotations

import pytest

from sessions_app.llm.content.parts import Reasoning, ToolCall
from sessions_app.llm.content.rows import Row, tool_row
from sessions_app.llm.grouping import groups_of, sections_of

ASKED, BLANK, SAID = Row("user", "a"), Row("user", " "), Row("assistant", "b")
THOUGHT = Row("assistant", "c", (Reasoning("hm"),))
CALLED, RESULT = Row("assistant", "", (ToolCall("1", "calculator", "{}"),)), tool_row("1", "calculator", "42")


@pytest.mark.parametrize(
    ("rows", "sections"),
    [
        ([], []),
        ([ASKED, SAID, ASKED], [[ASKED, SAID, ASKED]]),
        ([THOUGHT, ASKED], [[THOUGHT, ASKED]]),
        ([CALLED, RESULT, THOUGHT, ASKED, BLANK], [[CALLED, RESULT, THOUGHT, ASKED, BLANK]]),
        ([ASKED, THOUGHT, ASKED, CALLED, RESULT], [[ASKED], [THOUGHT, ASKED], [CALLED, RESULT]]),
    ],
)
def test_a_section_ends_before_rows_of_unknown_length(rows: list[Row], sections: list[list[Row]]) -> None:
    assert sections_of(rows) == sections


ONE, TWO, THREE = b"1", b"2", b"3"


@pytest.mark.parametrize(
    ("section", "elements", "groups"),
    [
        ([ASKED, SAID], [ONE, TWO], [(1, [ONE]), (1, [TWO])]),
        ([ASKED, BLANK, SAID], [ONE, TWO], [(1, [ONE]), (1, []), (1, [TWO])]),
        ([THOUGHT, ASKED], [ONE, TWO, THREE], [(1, [ONE, TWO]), (1, [THREE])]),
        ([CALLED, RESULT, ASKED, BLANK], [ONE, TWO, THREE], [(2, [ONE, TWO]), (1, [THREE]), (1, [])]),
        ([CALLED, RESULT], [ONE, TWO], [(2, [ONE, TWO])]),
    ],
)
def test_each_plain_row_has_one_element_and_the_rest_goes_together(
    section: list[Row], elements: list[bytes], groups: list[tuple[int, list[bytes]]]
) -> None:
    assert list(groups_of(section, elements)) == groups


@pytest.mark.parametrize(("section", "elements"), [([ASKED, SAID], [ONE]), ([ASKED, SAID], [ONE, TWO, THREE])])
def test_rows_whose_elements_cannot_be_told_apart_stay_together(section: list[Row], elements: list[bytes]) -> None:
    assert list(groups_of(section, elements)) == [(len(section), elements)]
