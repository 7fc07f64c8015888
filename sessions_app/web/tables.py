"""Tables: each in a box that scrolls sideways, cells aligned by class, every cell kept that was written.

markdown-it drops cells beyond the header's, takes a `|` within code for the end of a cell, and aligns cells with a
style attribute, which the page's policy refuses.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML, RendererProtocol
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

ROW_PARTS = re.compile(r"\\.|(?P<marks>`+)(?!`).*?(?<!`)(?P=marks)(?!`)|`+|[^\\`|]+|[\\|]", re.DOTALL)
"""An escaped character, a code span, marks that begin none, text, or the end of a cell."""


def plugin(parser: MarkdownIt) -> None:
    """Give a parser our way to read and write tables."""
    parser.block.ruler.at("table", rule, {"alt": ["paragraph", "reference"]})
    parser.add_render_rule("table_open", open_table)
    parser.add_render_rule("table_close", close_table)
    parser.add_render_rule("th_open", open_cell)
    parser.add_render_rule("td_open", open_cell)


def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table as markdown-it reads it, its rows filled again from their lines."""
    first = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    if not silent:
        tokens = state.tokens[first:]
        state.tokens[first:] = refilled(state, tokens, columns=sum(token.type == "th_open" for token in tokens))
    return True


def refilled(state: StateBlock, tokens: list[Token], columns: int) -> Iterator[Token]:
    """The tokens of a table with what stands in its lines, and with cells for all of it."""
    cells: list[str] = []
    in_body = False
    for token in tokens:
        in_body = in_body or token.type == "tbody_open"
        if in_body and token.type == "tr_open" and token.map:
            cells = cells_of(line_of(state, token.map[0]), columns)
        elif in_body and token.type == "inline":
            token.content = cells.pop(0) if cells else ""
        elif in_body and token.type == "tr_close":
            yield from surplus(cells, token.level + 1)
        yield token


def line_of(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()


def surplus(contents: list[str], level: int) -> Iterator[Token]:
    """Cells beyond those that the header has."""
    for content in contents:
        yield Token("td_open", "td", 1, level=level, block=True)
        yield Token("inline", "", 0, content=content, level=level + 1, children=[], block=True)
        yield Token("td_close", "td", -1, level=level, block=True)


def cells_of(line: str, columns: int) -> list[str]:
    """The cells of a row.

    By GitHub's rule a `|` within code ends a cell; models do not know that. So its reading counts only where it gives
    as many cells as the header has; else code is kept whole.
    """
    cells = without_borders(escapedSplit(line))
    return cells if len(cells) == columns else without_borders(split_around_code(line))


def split_around_code(line: str) -> list[str]:
    cells = [""]
    for part in ROW_PARTS.finditer(line):
        if part[0] == "|":
            cells.append("")
        else:
            cells[-1] += part[0].replace(r"\|", "|")
    return cells


def without_borders(cells: list[str]) -> list[str]:
    """Without the empty cells that a leading and a closing `|` make."""
    first = 1 if not cells[0].strip() else 0
    last = len(cells) - 1 if len(cells) > first and not cells[-1].strip() else len(cells)
    return [cell.strip() for cell in cells[first:last]]


def open_table(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return '<div class="table"><table>\n'


def close_table(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return "</table></div>\n"


def open_cell(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    cell = tokens[index]
    style = str(cell.attrs.pop("style", ""))
    if style:
        cell.attrSet("class", style.replace("text-align:", "to-"))
    return f"<{cell.tag}{RendererHTML.renderAttrs(cell)}>"
