"""Code blocks, headed by their language, coloured by Pygments with classes (the page's policy refuses inline styles).

The page puts its copy button into `.code-head`.
"""

import re
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

LANGUAGES = frozenset(
    """
    ada awk bash batch c cmake clojure common-lisp console cpp crystal csharp css cuda cython d dart delphi diff django
    docker elixir elm erlang fish fortran fsharp gas glsl go graphql groovy haskell html html+django http ini java
    javascript json jsx julia kotlin less llvm lua make markdown matlab mysql nasm nginx nixos objective-c ocaml perl
    php plpgsql postgresql powershell properties protobuf pycon pytb python r ruby rust scala scheme scss solidity
    sparql sql swift systemverilog tcl terraform tex toml tsx typescript vb.net verilog vhdl vim vue wast xml yaml zig
    """.split()  # noqa: SIM905 - a hundred quoted words are harder to read
)
"""Pygments' names of what is coloured. Some 250 of its 600 lexers need seconds for a few kB of some text; these were
measured (80 shapes of text each) to need at most 1 s, most of them 0.05 s, for what the bounds below let through."""
MAX_CODE = 10_000
"""Characters of one block; longer ones stay plain, as all do that pass another bound."""
MAX_LINE = 500
MAX_WORDS = re.compile(r"[\w\s]{600}")
"""Characters without any punctuation: Pygments' patterns of declarations are quadratic, some cubic, in such a run."""
MAX_SECONDS = 0.25
"""Of one text; the blocks after that stay plain."""
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
    """Pygments' lexer of that name or alias; none is guessed, guessing runs them all."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
    return lexer if LANGUAGES.intersection(lexer.aliases) else None


def too_long(code: str) -> bool:
    """Whether a pattern of Pygments might take seconds for it."""
    return (
        len(code) > MAX_CODE
        or any(len(line) > MAX_LINE for line in code.splitlines())
        or MAX_WORDS.search(code) is not None
    )
