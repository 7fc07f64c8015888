"""Tables: each in a box that scrolls sideways, cells aligned by class, no more cells than were written.

markdown-it aligns cells with a style attribute, which the page's policy refuses.
"""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML, RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict


def plugin(parser: MarkdownIt) -> None:
    """Give a parser our way to write tables."""
    parser.add_render_rule("table_open", open_table)
    parser.add_render_rule("table_close", close_table)
    parser.add_render_rule("th_open", open_cell)
    parser.add_render_rule("td_open", open_cell)


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
