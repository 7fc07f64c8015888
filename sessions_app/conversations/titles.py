"""Titles of sessions: the first words that were said, or what a model has made of them."""

from __future__ import annotations

from sessions_app.conversations.plain_text import blocks
from sessions_app.models import ChatSession

FIRST_WORDS = 60
"""Characters of a title that is made of the first words."""
_READ = 2_000
"""Characters of a message that its title is looked for in."""


def name(chat_session: ChatSession, text: str) -> None:
    """Give a session without a title one from its first message."""
    if not chat_session.title:
        chat_session.title = title_of(text)
        ChatSession.objects.filter(pk=chat_session.pk).update(title=chat_session.title)


def title_of(text: str) -> str:
    """Return the first words of a message, without Markdown; of code only where it says nothing else."""
    said = blocks(text[:_READ])
    prose = " ".join(block.text for block in said if not block.is_code)
    # Code that begins within a line, and ends nowhere, is none to Markdown.
    prose = prose.partition("```")[0]
    words = _one_line(prose) or _one_line(" ".join(block.text for block in said)) or _one_line(text)
    return shortened(words, FIRST_WORDS)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def shortened(words: str, length: int) -> str:
    """Return words as they are, or as many of them as go into ``length`` characters, with an ellipsis."""
    if len(words) <= length:
        return words
    return words[:length].rsplit(" ", 1)[0] + "…"
