"""Thoughts between tags are told from words, wherever the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.content.response_parts import Texts
from sessions_app.llm.content.thinking_tags import MAX_BLANKS, MAX_MENTIONS, ThinkingTags

THOUGHTS = [
    ("<think>Hm.</think>\n\nThe answer", "Hm.", "The answer"),
    ("<think>\nHm.\n</think>\nThe answer", "Hm.", "The answer"),
    (" \n<think>Hm.</think>The answer", "Hm.", "The answer"),
    ("<thinking>Hm.</thinking>\n\nThe answer", "Hm.", "The answer"),
    ("<think></think>\n\nThe answer", "", "The answer"),
    ("<think>Hm.</think> The answer", "Hm.", "The answer"),
    ("<think>It is 4</think>\n4", "It is 4", "4"),
    ("<think>Not `</think>` yet.\n</think>\n\nThe answer", "Not `</think>` yet.", "The answer"),
    ("<think>Not </thinking> yet.\n</think>\n\nThe answer", "Not </thinking> yet.", "The answer"),
    ("<think>The </think> tag ends it.</think>The answer", "The </think> tag ends it.", "The answer"),
    ("<think>```\nan open fence\n</think>\n\nThe answer", "```\nan open fence", "The answer"),
    ("<think>Hm. </think> The answer", "Hm.", "The answer"),
    ("<think>Hm.</think>\n\nUse `</think>`.\n</think>", "Hm.", "Use `</think>`.\n</think>"),
    ("<think>Hm.", "Hm.", ""),
    ("<think>", "", ""),
    # The opening tag was in the prompt.
    ("Hm.</think>\n\nThe answer", "Hm.", "The answer"),
    ("Hm.\n</think>\n\nThe answer", "Hm.", "The answer"),
    ("Hm.</think>The answer", "Hm.", "The answer"),
    ("So it is 4</think>\n\n4", "So it is 4", "4"),
    ("</think>\n\nThe answer", "", "The answer"),
    ("Hm.</think>", "Hm.", ""),
]
WORDS = [
    "The answer",
    "",
    "<thi",
    "a < b",
    "The <think> tag opens a thought, and </think> ends it.",
    "`<think>` opens, `</think>` ends it.",
    "Write '<think>' and '</think>'\n",
    "```\n<think>\nHm.\n</think>\n```\n",
    "It ends with </think>\nand goes on",
    "- one\n</think> is the tag",
    "<thinker>Rodin</thinker>",
]


def split_thought(text: str) -> tuple[str, str]:
    """The thought and the words of a whole text."""
    texts = Texts([text])
    return texts.thought, texts.whole


@pytest.mark.parametrize(("text", "thought", "words"), [*THOUGHTS, *[(text, "", text) for text in WORDS]])
def test_what_is_a_thought(text: str, thought: str, words: str) -> None:
    assert split_thought(text) == (thought, words)


PIECES = [
    " " * (MAX_BLANKS - 1),
    "<think>",
    "</think>",
    "<thinking>",
    "</thinking>",
    "\n",
    " ",
    ".",
    "`",
    "```\n",
    "a",
    "Hm",
    "\n\n",
    "<",
    "</",
    "é",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.data())
def test_the_cuts_make_no_difference(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    tags = ThinkingTags()
    told = [
        part for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True) for part in tags.feed(text[start:end])
    ]
    told += tags.end()
    said = "".join(part for kind, part in told if kind == "text")
    assert (tags.thought, said[tags.moved :].lstrip() if tags.moved else said) == split_thought(text)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_word_is_lost_and_none_invented(text: str) -> None:
    thought, words = split_thought(text)
    left = "".join((thought + words).split())
    whole = "".join(text.split())
    tags = ("<think>", "</think>", "<thinking>", "</thinking>")
    assert left == whole or any(
        left == whole[len(opening) :].replace(closing, "", 1) or left in _without_one(whole[len(opening) :])
        for opening, closing in [
            ("", tags[1]),
            ("", tags[3]),
            (tags[0], tags[1]),
            (tags[2], tags[3]),
            (tags[0], "\0"),
            (tags[2], "\0"),
        ]
        if whole.startswith(opening)
    )


def _without_one(text: str) -> set[str]:
    """The text without one of its closing tags."""
    return {
        text[:start] + text[start + len(tag) :]
        for tag in ("</think>", "</thinking>")
        for start in range(len(text))
        if text.startswith(tag, start)
    } | {text}


def test_an_answer_about_tags_costs_no_more_than_its_length() -> None:
    text = "The `</think>` tag. " * (MAX_MENTIONS * 50)
    assert split_thought(text) == ("", text)
