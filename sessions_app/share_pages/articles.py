"""What the template of a shared page shows: articles of users and of models, as the page of the chat has them.

No script equips them. So what scrolls sideways can be focused from the beginning, and notes of equal names get names of
their own here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from sessions_app.conversations.file_schemas import FileShape
from sessions_app.models import MessageRole, MessageStatus
from sessions_app.sharing.reading import Said

_FENCE = re.compile(r"^(`{3,}|~{3,})([^`\n]*)\n([\s\S]*?)\n?^\1[ \t]*$\n?", re.MULTILINE)
_NOTE = re.compile(r'(<[a-z]+\b[^<>]*? (?:id="|href="#)note-[^"<>]*)(")')
_SCROLLING = (
    ('<div class="table">', '<div class="table" tabindex="0" role="group" aria-label="Table">'),
    ('<math display="block"', '<math tabindex="0" display="block"'),
)
_TAGS = {
    MessageStatus.STOPPED: "Stopped",
    MessageStatus.INTERRUPTED: "Interrupted",
    MessageStatus.FAILED: "Cut off",
}
# Pixels of the longer side of a small picture.
_THUMBNAIL = 320


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of what a user has said: words, or code in a ``language``, which may be empty."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an answer: a text, as HTML, or the names of the tools that were used after it."""

    html: str = ""
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file of a message; ``size`` is that of its small picture, where it is a picture."""

    file: FileShape
    size: tuple[int, int] | None

    @property
    def address(self) -> str:
        """Where it is, beside the page."""
        return f"files/{self.file.id}"


@dataclass(slots=True)
class Article:
    """What a user has said, or an answer. ``tag`` says of an answer how it has ended, where it is not whole."""

    is_user: bool
    files: list[FileLink] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    tag: str = ""


def texts_of(said: Sequence[Said]) -> list[str]:
    """Return the texts that are to be rendered."""
    return [each.text for each in said if _is_markdown(each)]


def _is_markdown(said: Said) -> bool:
    return said.role == MessageRole.ASSISTANT and bool(said.text)


def articles_of(said: Sequence[Said], rendered: Sequence[str]) -> list[Article]:
    """Return the articles of a page; ``rendered`` is the HTML of ``texts_of`` it."""
    articles: list[Article] = []
    htmls = iter(enumerate(rendered, 1))
    for each in said:
        if each.role == MessageRole.USER:
            articles.append(Article(True, pieces=list(_pieces(each.text))))
        elif not articles or articles[-1].is_user:
            articles.append(Article(False))
        article = articles[-1]
        article.files += [_link(file) for file in each.files]
        if _is_markdown(each):
            number, html = next(htmls)
            # The renderer sanitises last, whatever the text (web/sanitise.py).
            article.blocks.append(Block(SafeString(_readable(html, number))))  # nosec B703
        if each.tools:
            article.blocks.append(Block(tools=tuple(name.replace("_", " ") for name in each.tools)))
        article.tag = _TAGS.get(MessageStatus(each.status), "Not whole" if each.finish else "")
    return articles


def _pieces(text: str) -> Iterator[Piece]:
    """Yield the words and the code of a user's text; there may be none in it, for a message may be files alone."""
    place = 0
    for found in _FENCE.finditer(text):
        yield from _words(text[place : found.start()].strip("\n"))
        yield Piece(found[3], found[2].strip())
        place = found.end()
    yield from _words(text[place:].strip("\n") if place else text)


def _words(text: str) -> Iterator[Piece]:
    if text.strip():
        yield Piece(text)


def _readable(html: str, number: int) -> str:
    """Return the HTML of a text, the ``number``-th of its page, as it can be read without a script."""
    html = _NOTE.sub(rf"\1-{number}\2", html)
    for plain, focusable in _SCROLLING:
        html = html.replace(plain, focusable)
    return html


def _link(file: FileShape) -> FileLink:
    if not file.media_type.startswith("image/"):
        return FileLink(file, None)
    wide, high = file.width or 1, file.height or 1
    scale = min(1, _THUMBNAIL / max(wide, high))
    return FileLink(file, (max(1, round(wide * scale)), max(1, round(high * scale))))
