"""Titles of sessions: the first words that were said, or what a model has made of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from sessions_app.conversations.line_digests import Said
from sessions_app.conversations.plain_text import blocks
from sessions_app.models import ChatSession, MessageRole

FIRST_WORDS = 60
"""Characters of a title that is made of the first words."""
_READS = (500, 1_000)
"""Characters of a message that its title is looked for in: more where the first ones do not fill it.

It is looked for once for each session, in the transaction that begins its first turn: what a text costs there is below
0.5 ms mostly, and 6 ms for one that was written to be dear."""
MADE_LENGTH = 80
"""Characters of a title that a model has made."""
_UNSHOWN = ("Cc", "Cs")
_QUOTES = "\"'`´‘’‚‛“”„«»‹›「」『』《》"  # noqa: RUF001 - those of many languages


def name(chat_session: ChatSession, text: str) -> None:
    """Give a session without a title one from its first message."""
    if not chat_session.title:
        chat_session.title = title_of(text)
        ChatSession.objects.filter(pk=chat_session.pk).update(title=chat_session.title)


def first_words(said: Iterable[Said]) -> str:
    """Return what the user has said first, or the names of the files that it was; empty for nothing."""
    first = next((each for each in said if each.role == MessageRole.USER), None)
    if first is None or first.text.strip():
        return first.text if first else ""
    return ", ".join(file.name for file in first.files)


def title_of(text: str) -> str:
    """Return the first words of a message, without Markdown; of code only where it says nothing else."""
    for length in _READS:
        words = _words(text[:length])
        if len(words) > FIRST_WORDS:
            break
    return shortened(words, FIRST_WORDS)


def _words(text: str) -> str:
    said = blocks(text)
    prose = " ".join(block.text for block in said if not block.is_code)
    # Code that begins within a line, and ends nowhere, is none to Markdown.
    prose = prose.partition("```")[0]
    return _one_line(prose) or _one_line(" ".join(block.text for block in said)) or _one_line(text)


def cleaned(said: str) -> str:
    """Return what a model said as a title: one line without Markdown and quotation marks, empty where it said none."""
    line = next((line for block in blocks(said[: _READS[-1]]) for line in block.text.splitlines() if line.strip()), "")
    words = "".join(character for character in _one_line(line) if unicodedata.category(character) not in _UNSHOWN)
    return shortened(words.strip(f"{_QUOTES} "), MADE_LENGTH - 1)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def shortened(words: str, length: int) -> str:
    """Return words as they are, or as many of them as go into ``length`` characters, with an ellipsis."""
    if len(words) <= length:
        return words
    return words[:length].rsplit(" ", 1)[0] + "…"
