"""A growing answer: nothing that is shown of it changes its kind later.

Held for every prefix of the collected answers and of texts put together from their lines, but for those that end
between two small letters, as the page shows them (js/growing.js, then the server's renderer):

- the kinds of all top-level blocks shown are the first of those shown for any longer prefix, and of the complete text:
  a paragraph stays a paragraph, a heading a heading; blocks are only added at the end;
- what is shown lacks at most the last line, a table's first line or a formula on lines of its own;
- an element within the last line (emphasis, code, a link, a formula) is shown only once it is closed.

Two changes are allowed, because nothing before them tells: a table whose first line does not begin with `|` is a
paragraph until the row below is complete, and a fold (`<details>`) that is never closed is undone when the text ends.

Thorough: the suite asks it of the page without a browser (tests/page/growing.test.js).
"""

from __future__ import annotations

import json
import random
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sessions_app
from sessions_app.web.markdown import render
from tests.processes import ROOT, finish
from tests.web.collected import ANSWERS

GROWING = Path(sessions_app.__file__).parent / "static/sessions_app/js/growing.js"
# Prints for each text, and each of its prefixes, what is shown of it.
SHOW_ALL = """
import { readFileSync } from "node:fs";
const { lastCut, presentable } = await import(process.argv[1]);
const shownOf = (text) => {
  const shown = [];
  let done = 0;
  for (let end = 0; end <= text.length; end += 1) {
    const prefix = text.slice(0, end);
    const cut = lastCut(prefix, done);
    shown.push([prefix.slice(done, cut), presentable(prefix.slice(cut))]);
    done = cut;
  }
  return shown;
};
console.log(JSON.stringify(JSON.parse(readFileSync(process.argv[2])).map(shownOf)));
"""
SAMPLES = 25
WITHIN_WORD = re.compile("^[a-z]{2}$")
TABLE_WITHOUT_PIPE = re.compile(r"(?:^|\n)[ \t]*[^|\s][^\n]*\|[^\n]*\n[ \t]*[|:-][-|: \t]*\n$")


class TopLevel(HTMLParser):
    """Collects what kinds of blocks stand side by side."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.kinds: list[str] = []
        self.depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.kinds.append(f"{tag}.{dict(attrs).get('class') or ''}")
        self.depth += tag not in ("br", "hr")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1


@lru_cache(10_000)
def kinds(markdown: str) -> list[str]:
    return TopLevel(render(markdown)).kinds


def shown_of(texts: list[str], folder: Path) -> list[list[tuple[str, str]]]:
    """What the page's module makes of each prefix of each text: what is final since the last one, and the rest."""
    given = folder / "texts.json"
    given.write_text(json.dumps(texts))
    node = str(ROOT / ".venv/bin/node")
    done = finish([node, "--input-type=module", "--eval", SHOW_ALL, GROWING.as_uri(), str(given)])
    assert done.returncode == 0, done.stderr
    shown: list[list[tuple[str, str]]] = json.loads(done.stdout)
    return shown


def assert_kinds_stay(text: str, shown_of_prefixes: list[tuple[str, str]]) -> None:
    """Fails at the first prefix that shows another kind of block than a longer one or the complete text."""
    pieces: list[str] = []
    before: list[str] = []
    for end, (final, tail) in enumerate(shown_of_prefixes):
        pieces += kinds(final) if final else []
        if WITHIN_WORD.search(text[end - 1 : end + 1]):
            continue
        shown = pieces + kinds(tail)
        if shown != before and TABLE_WITHOUT_PIPE.search(text[:end]) and before[-1] == "p.":
            before.pop()
        assert shown[: len(before)] == before, (text[:end][-200:], tail)
        before = shown
    assert kinds(text)[: len(before)] == before, text


WITHOUT_OPEN_FOLD = [text.partition("<details>\nunclosed")[0] for text in ANSWERS.values()]
LINES = [line for text in WITHOUT_OPEN_FOLD for line in text.split("\n") if "<details>" not in line]


def any_lines() -> list[str]:
    chance = random.Random(9)
    return ["\n".join(chance.choice(LINES) for _ in range(8)) for _ in range(SAMPLES)]


@pytest.mark.thorough
@pytest.mark.parametrize("texts", [WITHOUT_OPEN_FOLD, any_lines()], ids=["answers", "lines of any"])
def test_blocks_keep_their_kind_as_a_text_grows(tmp_path: Path, texts: list[str]) -> None:
    for text, shown in zip(texts, shown_of(texts, tmp_path), strict=True):
        assert_kinds_stay(text, shown)
