"""`https://example.com/` written bare becomes a link. Only with its scheme: a name with dots may be a file."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`]{1,2000}", re.IGNORECASE)
AFTERWARDS = ".,:;!?*_~…)]}"
"""What ends a sentence or closes a bracket around the address rather than belongs to it."""
PAIRS = {")": "(", "]": "[", "}": "{"}


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser bare links."""
    parser.core.ruler.after("inline", "bare_links", rule)


def rule(state: StateCore) -> None:
    """Look through the text of every line that is not a link already."""
    for block in state.tokens:
        if block.type == "inline" and "://" in block.content:
            block.children = list(linked(block.children or []))


def linked(children: list[Token]) -> Iterator[Token]:
    in_link = 0
    for token in children:
        in_link += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "text" and not in_link:
            yield from split(token.content)
        else:
            yield token


def split(text: str) -> Iterator[Token]:
    """Text and link tokens for a text that may hold addresses."""
    done = 0
    for match in ADDRESS.finditer(text):
        address = trimmed(match[0])
        yield Token("text", "", 0, content=text[done : match.start()])
        yield Token("link_open", "a", 1, attrs={"href": address})
        yield Token("text", "", 0, content=address)
        yield Token("link_close", "a", -1)
        done = match.start() + len(address)
    yield Token("text", "", 0, content=text[done:])


def trimmed(address: str) -> str:
    """Without the punctuation after it; a closing bracket stays where the address opened it."""
    while address[-1] in AFTERWARDS and address.count(PAIRS.get(address[-1], "\0")) < address.count(address[-1]):
        address = address[:-1]
    return address
