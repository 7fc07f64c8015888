"""`[1]: https://example.com/ "Title"` defines an address, and stays on the page as it was written.

CommonMark takes a definition out of the text. A model writes one as a list of sources, or without knowing it
(`[ERROR]: timeout`), so its words must not vanish; links that refer to it work all the same.
"""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.token import Token

from sessions_app.web import bare_links


def plugin(parser: MarkdownIt) -> None:
    """Make a parser keep definitions in sight."""
    parser.block.ruler.at("reference", rule)


def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """One definition: known to the links, and a paragraph of its own, whose line needs no more parsing."""
    if not reference(state, start, end, silent):
        return False
    if not silent:
        source = state.getLines(start, state.line, state.blkIndent, False)
        state.push("paragraph_open", "p", 1).map = [start, state.line]
        line = state.push("inline", "", 0)
        line.map, line.children = [start, state.line], list(literal(source))
        state.push("paragraph_close", "p", -1)
    return True


def literal(source: str) -> Iterator[Token]:
    """The source as it stands, its addresses as links."""
    for number, line in enumerate(source.strip().split("\n")):
        if number:
            yield Token("softbreak", "br", 0)
        yield from bare_links.split(line.strip())
