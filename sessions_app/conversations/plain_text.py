"""The words of a Markdown text, without its marks: for titles, and for snippets of what a search finds.

The parser is the one that the page's Markdown is rendered with, without the plug-ins that only change how words look.
What a text costs grows with its length, so callers cut what they hand over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
_PARSER.disable("lheading")  # as on the page: models write `#`, and `---` means a line across
_CODE = ("fence", "code_block")
_BREAKS = ("softbreak", "hardbreak")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, cell or piece of code, by its words."""

    text: str
    is_code: bool


def blocks(markdown: str) -> list[Block]:
    """Return what a Markdown text says, block by block; those without a word are left out."""
    found = (_block(token) for token in _PARSER.parse(markdown) if token.type in (*_CODE, "inline"))
    return [block for block in found if block.text.strip()]


def plain_text(markdown: str) -> str:
    """Return the words of a Markdown text, each block in a line of its own."""
    return "\n".join(block.text for block in blocks(markdown))


def _block(token: Token) -> Block:
    if token.type in _CODE:
        return Block(token.content.removesuffix("\n"), is_code=True)
    return Block("".join(_words(token.children or [])), is_code=False)


def _words(tokens: list[Token]) -> Iterator[str]:
    """Yield the words of a line; a link says its text, an image its description."""
    for token in tokens:
        yield "\n" if token.type in _BREAKS else token.content
