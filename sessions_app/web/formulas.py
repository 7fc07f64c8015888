# ruff: noqa: RUF001 - the writing of other languages is what this is about
r"""Formulas: `\(…\)`, `$…$`, `$$…$$` in a line; `\[…\]`, `$$…$$`, `\begin{align}…\end{align}` on lines of their own.

The ways in which models write TeX. Prices and shell variables are text: a single `$` opens a formula only where no
Latin letter or digit stands before it and no space behind it, closes one only where no space stands before it and no
Latin letter or digit behind it, and what reads like prose in between is none (`5$/kg or 10$.`). A formula that cannot
be shown in full (web/mathml.py) is shown as its source, with its marks.
"""

import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from sessions_app.web import mathml

MAX_FORMULA = 1_000
"""Characters of one formula; latex2mathml takes 20 ms for the worst of this length."""
MAX_FORMULAS = 200
"""Of one text; the others are shown as they were written."""
MAX_IN_FORMULAS = 20_000
"""Characters of all formulas of one text, for which latex2mathml takes 0.3 s at the worst; so are those after them."""

INLINE = re.compile(
    rf"\\\((?P<round>[^\n]{{1,{MAX_FORMULA}}}?)\\\)"
    rf"|\$\$(?!\$)(?P<double>(?:[^$\\]|\\.){{1,{MAX_FORMULA}}}?)\$\$"
    rf"|\\\[(?P<square>.{{1,{MAX_FORMULA}}}?)\\\]"
    rf"|(?<![0-9A-Za-z$])\$(?P<single>(?![\s$])(?:[^$\n`\\]|\\text\{{[^{{}}\n]*\}}|\\.){{1,{MAX_FORMULA}}}?)(?<!\s)\$(?![0-9A-Za-z$])"
    rf"|(?P<environment>\\begin\{{(?P<name>{mathml.ENVIRONMENTS})\}}.{{1,{MAX_FORMULA}}}?\\end\{{(?P=name)\}})",
    re.DOTALL,
)
PROSE = re.compile(
    r"(?<![\\A-Za-z])[A-Za-z]{2,} +[A-Za-z]{2,}(?![A-Za-z]*\()|\d +(?:and|or|to|bis|und|et|y) +|\*\*|[，。；：？！、]"
)
"""What stands in sentences and not in formulas: words side by side, emphasis, full-width punctuation."""
WORDS = re.compile(
    r"\\(?:text[a-z]*|mbox|hbox|operatorname\*?|mathrm|mathit|mathbf|mathsf|mathtt)\s*\{[^{}]*\}|\\[A-Za-z]+"
)
"""Where formulas have words of their own."""
ENVIRONMENT = re.compile(rf"\\begin\{{({mathml.ENVIRONMENTS})\}}")


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser the two kinds of formula."""
    parser.inline.ruler.before("escape", "formula", inline_rule)
    parser.block.ruler.before("fence", "formula", block_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.add_render_rule("formula", render)


def inline_rule(state: StateInline, silent: bool) -> bool:
    """A formula at the present place of a line."""
    if state.src[state.pos] not in "\\$" or not (match := INLINE.match(state.src, state.pos, state.posMax)):
        return False
    kind = next(name for name in ("round", "double", "square", "single", "environment") if match[name] is not None)
    if kind in ("round", "square", "single") and PROSE.search(WORDS.sub("", match[kind])):
        return False
    if not silent:
        token = add(state, match[kind], match[0])
        token.meta |= {"display": kind in ("square", "environment"), "large": kind == "double"}
    state.pos = match.end()
    return True


def block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lines from one that opens a formula to the one that closes it."""
    first = line_of(state, start)
    closing = closing_of(first)
    if closing is None or state.is_code_block(start):
        return False
    last = closing_line(state, start, end, closing)
    if last is None:
        return False
    if not silent:
        source = "\n".join(line_of(state, number) for number in range(start, last + 1)).strip()
        token = add(state, source if first.startswith(r"\begin") else source[2:-2], source)
        token.meta |= {"display": True, "large": False}
        token.map = [start, last + 1]
        state.line = last + 1
    return True


def closing_of(line: str) -> str | None:
    """What closes the formula that a line opens."""
    if line.startswith("$$"):
        return "$$"
    if line.startswith(r"\["):
        return r"\]"
    environment = ENVIRONMENT.match(line)
    return rf"\end{{{environment[1]}}}" if environment else None


def closing_line(state: StateBlock, start: int, end: int, closing: str) -> int | None:
    """The line that ends with `closing`; none where it stands earlier in a line, or too far, or its block ends
    before."""
    size = 0
    for number in range(start, end):
        line = line_of(state, number).rstrip()
        size += len(line)
        if size > MAX_FORMULA or line.startswith(("```", "~~~")):
            return None
        if number > start and line and state.sCount[number] < state.blkIndent:
            return None
        place = line.find(closing, 2 if number == start else 0)
        if place >= 0:
            return number if place == len(line) - len(closing) else None
    return None


def line_of(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def add(state: StateInline | StateBlock, formula: str, source: str) -> Token:
    """Put a formula's token, numbered within its text, among the others; `source` has its marks."""
    token = state.push("formula", "math", 0)
    token.content, token.markup = formula, source
    token.block = isinstance(state, StateBlock)
    state.env["formulas"] = int(state.env.get("formulas", 0)) + 1
    token.meta = {"number": state.env["formulas"]}
    return token


def render(renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """MathML, or the source where it is none."""
    token = tokens[index]
    env["in_formulas"] = int(env.get("in_formulas", 0)) + len(token.content)
    if token.meta["number"] <= MAX_FORMULAS and env["in_formulas"] <= MAX_IN_FORMULAS:
        html = mathml.convert(token.content, display=token.meta["display"], large=token.meta["large"])
        if html is not None:
            return html
    source = f'<code class="formula" dir="ltr">{escape(token.markup)}</code>'
    return f"<p>{source}</p>\n" if token.block else source
