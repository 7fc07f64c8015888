"""Titles: what is left of a message's Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.conversations.plain_text import plain_text
from sessions_app.conversations.titles import FIRST_WORDS, title_of

MARKDOWN = st.text(st.sampled_from("ab *_`#|-[]()!<>~\\\n\t&;:0.1"), max_size=200)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Please review **this**:\n```python\ndef f(x):\n    pass\n```", "Please review this:"),
        ("Please review **this**: ```python\ndef f(x):\n    pass\n```", "Please review this:"),
        ("| A | B |\n|---|---|\n| 1 | 2 |", "A B 1 2"),
        ("# A heading\n\nand *some* ~~old~~ text", "A heading and some old text"),
        ("See [the docs](https://example.org/a) and ![a cat](cat.png)", "See the docs and a cat"),
        ("Look at <https://example.org>", "Look at https://example.org"),
        ("- one\n- `two`\n> three", "one two three"),
        ("Tom &amp; Jerry \\*really\\*", "Tom & Jerry *really*"),
        ("```\nprint('only code')\n```", "print('only code')"),
        ("2 * 3 * 4 and snake_case_names", "2 * 3 * 4 and snake_case_names"),
        ("---", "---"),
        ("[x]: https://example.org", "[x]: https://example.org"),
        ("a\n===", "a ==="),
        ("word " * 30, "word " * 11 + "word…"),
    ],
)
def test_a_title_is_the_first_words_without_markdown(said: str, title: str) -> None:
    assert title_of(said) == title


@given(MARKDOWN)
def test_whatever_is_said_its_title_is_one_short_line(said: str) -> None:
    title = title_of(said)
    assert bool(title) == bool(said.strip())
    assert title == " ".join(title.split())
    assert len(title) <= FIRST_WORDS + 1


@given(st.lists(st.text(st.sampled_from("abc"), min_size=1), min_size=1))
def test_words_without_marks_stay_as_they_are(words: list[str]) -> None:
    assert plain_text(" ".join(words)) == " ".join(words)
