"""Code blocks: coloured by Pygments with CSS classes (the page's policy refuses inline styles), headed by their language.

The page puts its copy button into `.code-head`.
"""

from collections.abc import Sequence
from html import escape
from time import perf_counter

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MAX_CODE = 20_000
"""Characters of one block; longer ones stay plain."""
MAX_LINE = 2_000
"""Characters of one line: Pygments' patterns are quadratic in the length of a line in places."""
MAX_SECONDS = 0.25
"""Of one text, all its blocks together; the blocks after that stay plain."""
MAX_NAME = 30

FORMATTER = HtmlFormatter[str](nowrap=True)


def plugin(parser: MarkdownIt) -> None:
    """Give a parser our way to write code blocks."""
    parser.add_render_rule("fence", render)
    parser.add_render_rule("code_block", render)


def render(renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """One fenced or indented block, with its head; `env` keeps count of the time spent on this text."""
    token = tokens[index]
    language = token.info.split(maxsplit=1)[0][:MAX_NAME] if token.info.strip() else ""
    begun = perf_counter()
    code = coloured(token.content, language) if env.get("colouring", 0) < MAX_SECONDS else escape(token.content)
    env["colouring"] = env.get("colouring", 0) + perf_counter() - begun
    return (
        f'<div class="code"><div class="code-head"><span class="code-language">{escape(language)}</span></div>'
        f'<pre dir="ltr"><code>{code}</code></pre></div>\n'
    )


def coloured(code: str, language: str) -> str:
    """HTML of the code; plain where the language is unknown or a bound is passed."""
    lexer = None if too_long(code) else find_lexer(language)
    return escape(code) if lexer is None else highlight(code, lexer, FORMATTER)


def find_lexer(language: str) -> Lexer | None:
    """Pygments' lexer of that name; none is guessed, guessing runs them all."""
    try:
        return get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        return None


def too_long(code: str) -> bool:
    return len(code) > MAX_CODE or any(len(line) > MAX_LINE for line in code.splitlines())
