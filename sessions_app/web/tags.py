"""The few HTML tags that people and models write within Markdown: `H<sub>2</sub>O`, `<kbd>Ctrl</kbd>`, `one<br>two`.

Honoured without attributes, in pairs, and only where a pair lies within one line of thought: a pair may not cross
emphasis or a link. Every other tag, and one whose partner is missing, stays text. What is made of them is sanitised
like all else.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

NAMES = ("b", "del", "em", "i", "ins", "kbd", "mark", "s", "small", "strong", "sub", "sup", "u")
TAG = re.compile(rf"<(?P<slash>/?)(?P<name>{'|'.join(NAMES)})\s{{0,9}}>", re.IGNORECASE)
LINE_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
MAX_OPEN = 20
"""How many tags opened and not closed are looked through for a partner, to be linear."""


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser these tags."""
    parser.inline.ruler.before("autolink", "tag", rule)
    parser.inline.ruler2.after("emphasis", "tag", pair_tags)


def rule(state: StateInline, silent: bool) -> bool:
    """A tag at the present place of a line."""
    if state.src[state.pos] != "<":
        return False
    match = LINE_BREAK.match(state.src, state.pos, state.posMax) or TAG.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        if match.re is LINE_BREAK:
            state.push("hardbreak", "br", 0)
        else:
            token = state.push("tag", match["name"].lower(), 0)
            token.content = match[0]
            token.meta = {"closes": bool(match["slash"])}
    state.pos = match.end()
    return True


def pair_tags(state: StateInline) -> None:
    """Make elements of tags that have a partner, text of the others."""
    enclosing: list[list[Token]] = [[]]
    for token in state.tokens:
        if token.nesting == 1:
            enclosing.append([])
        elif token.nesting == -1:
            enclosing.pop()
        elif token.type == "tag" and token.meta["closes"]:
            close(enclosing[-1], token)
        elif token.type == "tag":
            enclosing[-1].append(token)
    for token in state.tokens:
        if token.type == "tag":
            token.type, token.tag = "text", ""


def close(opened: list[Token], closing: Token) -> None:
    """Find the partner of a closing tag among those opened beside it; those opened after the partner have none."""
    for place in range(len(opened) - 1, max(-1, len(opened) - 1 - MAX_OPEN), -1):
        opening = opened[place]
        if opening.tag == closing.tag:
            opening.type, opening.nesting = f"{opening.tag}_open", 1
            closing.type, closing.nesting = f"{opening.tag}_close", -1
            del opened[place:]
            return
