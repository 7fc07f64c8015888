# ruff: noqa: RUF001 - the writing of other languages is what this is about
"""`https://example.com/` written bare becomes a link that ends where a reader would end it.

Only with its scheme: a name with dots may be a file. What is decided, since no rule can know:

- White space, quotes, `<`, `>`, a backtick, full-width and CJK punctuation end an address, and so do the commas and
  full stops of other scripts, and a closing bracket that the address did not open.
- Punctuation at its end belongs to the sentence.
- A letter of writing without spaces (CJK, Thai …) directly behind a Latin letter or digit begins the sentence's next
  word: `https://example.com/docs了解` ends before 了. Behind `/`, `=`, `#`, `-` … it is part of the address:
  `https://zh.wikipedia.org/wiki/中文`. In the host it is where its label began with it, or where a Latin domain
  follows: `https://例え.jp`, `https://abc日本.jp`.
- Letters of other scripts are part of it, because a space ends their words: `https://fr.wikipedia.org/wiki/Été`.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from sessions_app.web.emphasis import is_punctuation, is_unspaced

MAX_ADDRESS = 2_000
SCHEME = re.compile(r"(?<![0-9A-Za-z])https?$", re.IGNORECASE)
ADDRESS = re.compile(r"(?<![0-9A-Za-z])https?://", re.IGNORECASE)
ENDINGS = frozenset("<>\"'`|“”‘’„‚«»‹›،؛؟۔।॥։")
AFTERWARDS = frozenset(".,:;!?*_~…-–—\\")
"""What ends a sentence, or emphasis, around the address rather than belongs to it."""
PAIRS = {")": "(", "]": "[", "}": "{"}
LATIN_DOMAIN = re.compile(r"[^\s/?#.]*(?:\.[^\s/?#.]+)*\.[a-z]{2,20}(?=[/?#:\s]|$)", re.IGNORECASE)
LONGEST_SCHEME = len("https")


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser bare links."""
    parser.inline.ruler.before("escape", "bare_link", rule)


def rule(state: StateInline, silent: bool) -> bool:
    """An address whose `://` is at the present place; nothing within it is looked at by other rules."""
    if silent or state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    start = state.pos - LONGEST_SCHEME
    scheme = SCHEME.search(state.src[max(0, start - 1) : state.pos])
    if scheme is None or not state.pending.lower().endswith(scheme[0].lower()):
        return False
    begin = state.pos - len(scheme[0])
    end = end_of(state.src, begin, state.posMax)
    if end <= state.pos + 3:
        return False
    state.pending = state.pending[: -len(scheme[0])]
    address = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", state.src[begin:end])
    for token in link(address):
        pushed = state.push(token.type, token.tag, token.nesting)
        pushed.attrs, pushed.content = token.attrs, token.content
    state.pos = end
    return True


def split(text: str) -> Iterator[Token]:
    """Text and link tokens for a text that is taken literally."""
    done = 0
    for match in ADDRESS.finditer(text):
        end = end_of(text, match.start(), len(text))
        if match.start() < done or end <= match.end():
            continue
        yield Token("text", "", 0, content=text[done : match.start()])
        yield from link(text[match.start() : end])
        done = end
    yield Token("text", "", 0, content=text[done:])


def link(address: str) -> Iterator[Token]:
    yield Token("link_open", "a", 1, attrs={"href": address})
    yield Token("text", "", 0, content=address)
    yield Token("link_close", "a", -1)


def end_of(text: str, begin: int, limit: int) -> int:
    """Where the address that begins there ends; at its `://` where it has no host."""
    host = text.index("://", begin) + 3
    limit = min(limit, begin + MAX_ADDRESS)
    brackets: list[str] = []
    place = host
    in_host = True
    while place < limit and not ends(text, place, host, in_host):
        char = text[place]
        in_host = in_host and char not in "/?#"
        if char in PAIRS.values():
            brackets.append(char)
        elif char in PAIRS and (not brackets or brackets.pop() != PAIRS[char]):
            break
        place += 1
    return trimmed(text, host, place)


def ends(text: str, place: int, host: int, in_host: bool) -> bool:
    """Whether the character at that place can no longer belong to the address."""
    char, before = text[place], text[place - 1]
    if char.isspace() or char in ENDINGS or ord(char) < 32:
        return True
    if char.isascii():
        return False
    unspaced = is_unspaced(char)
    if unspaced and is_punctuation(char):
        return True
    if not unspaced or is_unspaced(before) or not before.isalnum():
        return False
    return not (in_host and LATIN_DOMAIN.match(text, place, host + 255))


def trimmed(text: str, host: int, end: int) -> int:
    """Before the punctuation after it and before a bracket left open."""
    while end > host:
        char = text[end - 1]
        if char in AFTERWARDS or (char in PAIRS.values()) or (not char.isascii() and is_punctuation(char)):
            end -= 1
        else:
            break
    return end
