"""The end of a text that is still being written: what may still become something else waits, or is shown as it stands.

Two rules keep what is on the page from changing its kind:

1. The last line waits (is left out) while it could still begin another kind of block: `-`, `1.`, `#`, `>`, a fence, a
   table's row, a formula, `<details`. So does a table's first line until the one below it tells. What is left out is a
   prefix's end, so the page never shows less than a moment before but for it.
2. Within the last line shown, what is opened and not closed is plain text from its opening on: code, a link, a formula,
   a tag, an entity; marks of emphasis at the very end wait.

Both know nothing of what will come; when the text is complete it is rendered without them.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from sessions_app.web import mathml

MAX_WAITING = 1_000
"""Characters that may wait at most: those of the longest formula (web/formulas.py)."""

CONTAINERS = r"[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]+|>)*[ \t]*"
UNDECIDED = re.compile(
    rf"{CONTAINERS}(?:"
    r"[-*_+ \t]*"  # a list's mark, a line across, the begin of emphasis
    r"|\d{1,9}[.)]?"
    r"|\#{1,6}[ \t]*"
    r"|`{1,2}|`{3,}[^`\n]*|~{1,2}|~{3,}[^\n]*"
    r"|\[[ xX]?\]?"  # a task's box
    r"|\[\^[^\]\n]{0,50}(?:\](?::[ \t]*)?)?"  # a footnote
    r"|\|[^\n]*"
    r"|\$\$?|\$\$(?:[^$\n]|\$(?!\$))+\$?|\$\$[^$\n]+\$\$[ \t]*"
    r"|\\|\\\[(?:(?!\\\])[^\n])*|\\\[[^\n]*\\\][ \t]*"
    r"|\\b(?:e(?:g(?:i(?:n(?:\{[^\n]*)?)?)?)?)?"
    r"|</?[A-Za-z]{0,8}|</?(?:details|summary)\b[^\n]*"
    r")"
)
CLOSING_FENCE = re.compile(r"[ \t>]*(?:`+|~+)[ \t]*")
DELIMITER_ROW = re.compile(r"[ \t>|:-]*")
FENCE = re.compile(rf"{CONTAINERS}(?P<mark>`{{3,}}(?=[^`]*$)|~{{3,}})(?P<info>.*)")
FORMULA = re.compile(rf"{CONTAINERS}(?P<mark>\$\$|\\\[|\\begin\{{(?P<name>{mathml.ENVIRONMENTS})\}})")
UNFINISHED = re.compile(
    r"`[^`\n]*|`+"
    r"|!?\[(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*(?:\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+[\"'(]?[^)]*)?)?)?"
    r"|!"
    r"|</?[A-Za-z][^<>\n]{0,200}|</?"
    r"|&\#?\w{0,32}"
    r"|\$\$?(?:[^\s$`\d][^$\n`]*\$?)?"
    r"|\\\((?:(?!\\\)).)*|\\"
    r"|[*_~]+",
    re.DOTALL,
)


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser the second rule; it applies where `env["growing"]` is set."""
    parser.core.ruler.before("inline", "growing", find_last_line)
    parser.inline.ruler.before("text", "unfinished", rule)


def settled(text: str) -> str:
    """The text without what waits at its end (rule 1)."""
    head, newline, last = text.rpartition("\n")
    start = len(head) + len(newline)
    in_code, end = unclosed(head)
    if in_code:
        end = start if CLOSING_FENCE.fullmatch(last) else len(text)
    elif end is None:
        end = start if UNDECIDED.fullmatch(last) else len(text)
        above = head.rpartition("\n")[2]
        if "|" in above and DELIMITER_ROW.fullmatch(last):
            end = start - len(newline) - len(above)
    return text[:end] if len(text) - end <= MAX_WAITING else text


def unclosed(text: str) -> tuple[bool, int | None]:
    """Whether the text ends within code, and where a formula on lines of its own begins that it does not close."""
    fence, closing = "", ""
    begin = place = 0
    for line in text.split("\n"):
        mark = FENCE.match(line)
        formula = None if fence or closing else FORMULA.match(line)
        if fence:
            fence = "" if mark and mark["mark"].startswith(fence) and not mark["info"].strip() else fence
        elif mark:
            fence, closing = mark["mark"], ""
        elif formula:
            closing, begin = closing_of(formula), place
        if closing and (closing in line[formula.end() if formula else 0 :] or place - begin > MAX_WAITING):
            closing = ""
        place += len(line) + 1
    return bool(fence), begin if closing else None


def closing_of(formula: re.Match[str]) -> str:
    return {"$$": "$$", "\\[": "\\]"}.get(formula["mark"], f"\\end{{{formula['name']}}}")


def find_last_line(state: StateCore) -> None:
    """Note which line of the text is its last, for the rule below."""
    if not state.env.get("growing"):
        return
    lines = [token for token in state.tokens if token.type == "inline"]
    ends_with_line = state.tokens and state.tokens[-1].type.endswith("_close")
    state.env["last_line"] = lines[-1].content if lines and ends_with_line else None


def rule(state: StateInline, silent: bool) -> bool:
    """What is opened here and not closed before the end of the text is text."""
    if silent or not state.env.get("last_line") or state.src is not state.env["last_line"]:
        return False
    if state.src[state.pos] not in "`[!<&$\\*_~" or state.posMax < len(state.src):
        return False
    if not UNFINISHED.fullmatch(state.src, state.pos):
        return False
    if state.src[state.pos] not in "*_~":
        for number, line in enumerate(state.src[state.pos :].split("\n")):
            if number:
                state.push("softbreak", "br", 0)
            state.append_pending(line)
    state.pos = state.posMax
    return True
