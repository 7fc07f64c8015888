r"""Formulas: `\(…\)`, `$…$` in a line, `\[…\]`, `$$…$$` on lines of their own → MathML.

The four ways in which models write TeX. `$` counts only where it hugs what it encloses and no digit follows
(Pandoc's rule), so that prices stay prices. What latex2mathml cannot read is shown as it was written.
"""

import re
from collections.abc import Sequence
from html import escape

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

MAX_FORMULA = 1_000
"""Characters of one formula; latex2mathml takes 20 ms for the worst of this length."""
MAX_FORMULAS = 200
"""Of one text; the others are shown as they were written."""

INLINE = re.compile(
    rf"\\\((?P<round>[^\n]{{1,{MAX_FORMULA}}}?)\\\)"
    rf"|\$\$(?P<double>[^$]{{1,{MAX_FORMULA}}})\$\$"
    rf"|\\\[(?P<square>.{{1,{MAX_FORMULA}}}?)\\\]"
    rf"|\$(?P<single>(?![\s$])[^$\n]{{0,{MAX_FORMULA}}}(?<![\s\\]))\$(?!\d)",
    re.DOTALL,
)
FENCES = {"$$": "$$", r"\[": r"\]"}


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser the two kinds of formula."""
    parser.inline.ruler.before("escape", "formula", inline_rule)
    parser.block.ruler.before("fence", "formula", block_rule, {"alt": ["paragraph", "blockquote", "list"]})
    parser.add_render_rule("formula", render)


def inline_rule(state: StateInline, silent: bool) -> bool:
    """A formula at the present place of a line."""
    if state.src[state.pos] not in "\\$" or not (match := INLINE.match(state.src, state.pos)):
        return False
    if not silent:
        add(state, match[str(match.lastgroup)], display=match.lastgroup in ("double", "square"))
    state.pos = match.end()
    return True


def block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lines from one that begins with `$$` or `\\[` to one that ends with its counterpart."""
    first = line_of(state, start)
    closing = FENCES.get(first[:2])
    if closing is None or state.is_code_block(start):
        return False
    last = closing_line(state, start, end, closing)
    if last is None:
        return False
    if not silent:
        source = "\n".join(line_of(state, number) for number in range(start, last + 1)).strip()
        token = add(state, source[2:-2], display=True)
        token.map = [start, last + 1]
        state.line = last + 1
    return True


def closing_line(state: StateBlock, start: int, end: int, closing: str) -> int | None:
    """The first line that ends the formula begun at `start`; none where it would be too long or its block ends."""
    size = 0
    for number in range(start, end):
        line = line_of(state, number).rstrip()
        size += len(line)
        if size > MAX_FORMULA or (number > start and line and state.sCount[number] < state.blkIndent):
            return None
        if line.endswith(closing) and (number > start or len(line) >= 4):
            return number
    return None


def line_of(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def add(state: StateInline | StateBlock, source: str, *, display: bool) -> Token:
    """Put a formula's token, numbered within its text, among the others."""
    token = state.push("formula", "math", 0)
    token.content = source
    token.block = isinstance(state, StateBlock)
    state.env["formulas"] = int(state.env.get("formulas", 0)) + 1
    token.meta = {"display": display, "number": state.env["formulas"]}
    return token


def render(renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """MathML, or the source where it is none."""
    token = tokens[index]
    if token.meta["number"] > MAX_FORMULAS:
        return as_written(token)
    try:
        return str(convert(token.content, display="block" if token.meta["display"] else "inline"))
    except Exception:  # of many classes: its own, IndexError, StopIteration, RecursionError …
        return as_written(token)


def as_written(token: Token) -> str:
    return f'<code class="formula">{escape(token.content)}</code>'
