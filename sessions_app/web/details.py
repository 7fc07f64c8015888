"""`<details>`, `<summary>` and `</details>` on lines of their own fold what stands between them, which is Markdown.

A fold that is never closed is text, tags and all: it must not hide the rest of the answer.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

OPENING = re.compile(r"<details(?: open)?>[ \t]*(?P<rest>.*)", re.IGNORECASE)
SUMMARY = re.compile(r"<summary>(?P<summary>.*?)</summary>[ \t]*", re.IGNORECASE)
CLOSING = re.compile(r"</details>[ \t]*", re.IGNORECASE)
FENCE = re.compile(r"(?P<mark>`{3,}|~{3,})(?P<info>.*)")


def plugin(parser: MarkdownIt) -> None:
    """Teach a parser folds."""
    parser.block.ruler.before("fence", "details", rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lines from `<details>` to its `</details>`."""
    opening = OPENING.fullmatch(line_of(state, start))
    if opening is None or state.is_code_block(start):
        return False
    body, summary = start + 1, SUMMARY.fullmatch(opening["rest"])
    if summary is None and opening["rest"]:
        return False
    last = closing_line(state, start, end)
    if last is None:
        return False
    if silent:
        return True
    if summary is None and (summary := SUMMARY.fullmatch(line_of(state, body))):
        body += 1
    add(state, (start, body, last), summary["summary"] if summary else None)
    return True


def closing_line(state: StateBlock, start: int, end: int) -> int | None:
    """The line of the `</details>` that belongs to the fold begun at `start`; none if its block ends before."""
    depth, fence = 0, ""
    for number in range(start, end):
        line = line_of(state, number)
        if line and state.sCount[number] < state.blkIndent:
            return None
        mark = FENCE.match(line)
        if fence:
            fence = "" if mark and mark["mark"].startswith(fence) and not mark["info"].strip() else fence
        elif mark:
            fence = mark["mark"]
        elif OPENING.fullmatch(line):
            depth += 1
        elif CLOSING.fullmatch(line):
            depth -= 1
            if depth == 0:
                return number
    return None


def add(state: StateBlock, lines: tuple[int, int, int], summary: str | None) -> None:
    """The fold's tokens, and those of what is in it."""
    start, body, last = lines
    parent, limit = state.parentType, state.lineMax
    state.parentType, state.lineMax = "details", last
    state.push("details_open", "details", 1).map = [start, last + 1]
    if summary is not None:
        state.push("summary_open", "summary", 1)
        line = state.push("inline", "", 0)
        line.content, line.children, line.map = summary.strip(), [], [start, body]
        state.push("summary_close", "summary", -1)
    state.md.block.tokenize(state, body, last)
    state.push("details_close", "details", -1)
    state.parentType, state.lineMax, state.line = parent, limit, last + 1


def line_of(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()
