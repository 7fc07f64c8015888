"""Code blocks, headed by their language, coloured by Pygments with classes (the page's policy refuses inline styles).

What is coloured depends on the code alone, and never changes while a block grows: the colours go on up to the first
place that could cost Pygments too much, and what follows stays plain. The page puts its copy button into `.code-head`.
"""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from itertools import islice

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name

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
NAMES = frozenset(
    name for _, names, _, _ in get_all_lexers(plugins=False) if LANGUAGES.intersection(names) for name in names
)
"""All names by which a text may call them."""
NAMED = re.compile(r"(?:```|~~~)[ \t]*([^\s`~]\S*)")
"""The end of what may open a code block of a language, and its name. Its time is linear also in a million backticks."""
MAX_CODE = 10_000
"""Characters of one block that are coloured."""
MAX_COLOURED = 50_000
"""Characters of one text that are coloured."""
MAX_LINE = 500
MAX_RUN = 600
TOO_MUCH = re.compile(rf"[^\n]{{{MAX_LINE + 1}}}|[\w\s]{{{MAX_RUN + 1}}}")
"""A line too long; a run of characters without any punctuation: Pygments' patterns of declarations are quadratic, some
cubic."""
HEREDOC = re.compile(r"<<[-~]?[\"']?\w+[\"']?\n")
MAX_HEREDOCS = 50
"""Each that is not closed is looked for up to the end, by some lexers once for each of the others."""

FORMATTER = HtmlFormatter[str](nowrap=True)


def plugin(parser: MarkdownIt) -> None:
    """Give a parser our way to write code blocks."""
    parser.add_render_rule("fence", render)
    parser.add_render_rule("code_block", render)


def load_lexers(text: str) -> None:
    """Load the lexers that a text names: 10 ms of CPU each, once in a process; for all of LANGUAGES 1.5 s and 15 MB."""
    for language in NAMES.intersection(name.lower() for name in NAMED.findall(text)):
        lexer_of(language)


def render(renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """One fenced or indented block, with its head; `env` keeps count of what this text has coloured."""
    token = tokens[index]
    info = token.info.strip()
    lexer = lexer_of(info.split(maxsplit=1)[0].lower()) if info else None
    left = MAX_COLOURED - int(env.get("coloured", 0))
    end = min(left, end_of_colours(token.content)) if lexer else 0
    env["coloured"] = MAX_COLOURED - left + end
    code = highlight(token.content[:end], lexer, FORMATTER) if lexer and end else ""
    return (
        f'<div class="code"><div class="code-head"><span class="code-language">{escape(info)}</span></div>'
        f'<pre dir="ltr"><code>{code}{escape(token.content[end:])}</code></pre></div>\n'
    )


def lexer_of(language: str) -> Lexer | None:
    """Pygments' lexer of that name or alias; none is guessed, guessing runs them all."""
    return known_lexer(language) if language in NAMES else None


@cache
def known_lexer(name: str) -> Lexer:
    """The lexer of one of NAMES; it stays loaded."""
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


def end_of_colours(code: str) -> int:
    """How many characters of a block are coloured: all, or up to where a pattern of Pygments might take seconds."""
    too_much = TOO_MUCH.search(code, 0, MAX_CODE + MAX_RUN)
    heredoc = next(islice(HEREDOC.finditer(code, 0, MAX_CODE), MAX_HEREDOCS, None), None)
    return min(len(code), MAX_CODE, *(found.end() - 1 for found in (too_much, heredoc) if found))
