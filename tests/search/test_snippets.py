"""Snippets: plain text around a hit, with marks that are right, of whatever text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sessions_app.conversations.plain_text import plain_text
from sessions_app.conversations.search.folding import fold
from sessions_app.conversations.search.snippets import SNIPPET_LENGTH, marks, snippet

PIECES = st.sampled_from(
    [
        *("word ", "**bold** ", "`code` ", "~~old~~ ", "[a link](https://example.org) ", "![an image](x.png) "),
        *("\n", "\n\n", "# Head\n", "- item\n", "| a | b |\n", "|---|---|\n", "```python\n", "```\n", "* "),
        *("&amp; ", "\\*", "ﬁne ", "Straße ", "ｶﾞ", "é"),
    ]
)
MARKDOWN = st.lists(PIECES, min_size=1, max_size=400).map("".join)


@given(MARKDOWN, st.data())
def test_a_snippet_holds_what_was_found_and_marks_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    query = text[start : start + data.draw(st.integers(1, 12))]
    folded = fold(query)
    assume(folded in fold(text))
    shown = snippet(text, folded)
    found = marks(shown, folded)
    assert found
    assert all(folded in fold(shown[first:last]) for first, last in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    assert len(shown) <= SNIPPET_LENGTH + len(query) * 4 + 2


@given(st.text(min_size=1), st.data())
@example("ﬀ", None)
def test_of_any_text_the_marks_lead_to_the_query(text: str, data: st.DataObject | None) -> None:
    start = data.draw(st.integers(0, len(text) - 1)) if data else 0
    folded = fold(text[start : start + 2])[:1]
    assume(folded and folded in fold(text))
    shown = snippet(text, folded)
    assert marks(shown, folded)
    assert all(folded in fold(shown[first:last]) for first, last in marks(shown, folded))


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("Say **hello** to `them`", "hello", "Say hello to them"),
        ("| A | B |\n|---|---|\n| one | two |", "two", "A\nB\none\ntwo"),
        ("1. first\n2. second", "second", "first\nsecond"),
        ("see [the docs](https://example.org)", "docs", "see the docs"),
        ("```python\n# a __comment__\n```", "comment", "# a __comment__"),
        ("a ** b", "**", "a ** b"),
    ],
)
def test_a_snippet_is_plain_text(text: str, query: str, shown: str) -> None:
    assert snippet(text, fold(query)) == shown


def test_code_that_began_long_before_is_shown_as_code() -> None:
    text = "```\n" + "x = 1\n" * 500 + "def __init__(self):\n" + "y = 2\n" * 500 + "```\n"
    assert "def __init__(self):" in snippet(text, "init")


def test_of_a_long_text_little_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    room = "sessions_app.conversations.search.snippets"
    monkeypatch.setattr(f"{room}.plain_text", lambda text: parsed.append(text) or plain_text(text))  # type: ignore[func-returns-value]
    assert "needle" in snippet("[a](b) " * 28_000 + "needle" + " *c*" * 28_000, "needle")
    assert len(parsed[0]) < 2_000
