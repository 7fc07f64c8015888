# ruff: noqa: RUF001 - the writing of other languages is what this is about
"""Every word of a Markdown text is on the page, and no other.

A *word* is a run of Latin letters and digits or of any others. On the page are the text, the addresses and titles of
links, and formulas. Words of the source that are markup need not be there; these are, and nothing else is:

- the names of the tags that are honoured, and of character references;
- the numbers of a list's items, the `x` of a task's box;
- the label in `[text][label]`, which chooses a definition;
- in a formula, what begins with a backslash, the names of environments and their columns, `\\label{…}`.

The page adds the words "Image:" and "without description" in the place of an image.
"""

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from unicodedata import normalize
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions_app.web.markdown import render
from tests.web.collected import ANSWERS

WORD = re.compile(r"[0-9A-Za-z]+|[^\W\x00-\x7f]+")
MARKUP = [
    r"</?(?:b|del|em|i|ins|kbd|mark|s|small|strong|sub|sup|u)\s*>",
    r"<br\s*/?>",
    r"</?(?:details|summary)(?: open)?>",
    r"&(?:#\w+|\w+);",
    r"(?m)^(?:[ \t>*+-]|\d{1,9}[.)](?=\s|$))+",
    r"\[[xX]\]",
    r"\]\[[^\]]+\]",
]
FORMULA_MARKUP = r"\\(?:begin|end)\{[A-Za-z]+\*?\}(?:\{[lcr|]+\})?|\\label\{[^}]*\}|\\[A-Za-z]+"
ADDED = Counter(["Image", "without", "description"])


class Page(HTMLParser):
    """Collects the words of rendered HTML, those of formulas by their letters."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.attributes: list[str] = []
        self.formulas: list[str] = []
        self.in_formula = False
        self.link: tuple[str, list[str]] | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_formula = self.in_formula or tag == "math"
        if tag != "span":
            self.text.append(" ")
        given = dict(attrs)
        self.attributes.append(given.get("title") or "")
        if tag == "a":
            self.link = (address(given.get("href") or ""), [])

    def handle_endtag(self, tag: str) -> None:
        if tag == "math":
            self.in_formula = False
        if tag != "span":
            self.text.append(" ")
        if tag == "a" and self.link:
            href, label = self.link
            if href not in ("".join(label), unquote("".join(label)), f"mailto:{''.join(label)}"):
                self.attributes.append(href)
            self.link = None

    def handle_data(self, data: str) -> None:
        (self.formulas if self.in_formula else self.text).append(data)
        if self.link:
            self.link[1].append(data)


def address(href: str) -> str:
    """An address as it was written: not percent-encoded, its host in its own script; empty for a footnote's."""
    if href.startswith("#"):
        return ""
    return re.sub(r"xn--[0-9a-z-]+", lambda label: label[0].encode().decode("idna"), unquote(href))


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(text))


def letters(text: str) -> Counter[str]:
    return Counter("".join(WORD.findall(normalize("NFKC", text))))


def assert_same_words(source: str) -> None:
    """Fails where a word is lost or invented."""
    page = Page(render(source))
    text = words("".join(page.text))
    markup: Counter[str] = sum((words(found[0]) for part in MARKUP for found in re.finditer(part, source)), Counter())
    lost = words(source) - text - words(" ".join(page.attributes)) - markup
    in_formulas = letters("".join(page.formulas))
    of_formulas = (
        sum((words(found) for found in re.findall(FORMULA_MARKUP, source)), Counter()) if page.formulas else Counter()
    )
    assert not letters(" ".join((lost - of_formulas).elements())) - in_formulas
    invented = text - (words(source) | words(unescape(source)))
    assert not invented - Counter({word: count * source.count("![") for word, count in ADDED.items()})


@pytest.mark.parametrize("name", ANSWERS)
def test_every_word_of_an_answer_is_on_the_page(name: str) -> None:
    assert_same_words(ANSWERS[name])


LINES = [line for text in ANSWERS.values() for line in text.split("\n")]
FRAGMENTS = st.sampled_from(
    ["\n", "\n\n", "  ", "- ", "1. ", "> ", "    ", "```", "~~~\n", "`", "``", "*", "_", "**", "~~", "[", "](", ")",
     "![",
     "]: ",
     "[^", "]", "|", "||", "|-|-|\n", "# ", "===\n", "---\n", "$", "$$", r"\(", r"\)", r"\[", r"\]", "{", "}", "<",
     ">", "&",
     "\\", "https://", "word", "λόγος", "слово", "字", "말", "كلمة", "<b>", "</b>", "<br>",
     "<details>\n", "</details>\n",
     "<summary>", "</summary>", "：", "。", "“", "”", "🜚", "[a]: https://a.example/x 'title'\n", "[^n]", "[^n]: note\n"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS | st.sampled_from(LINES).map(lambda line: line + "\n"), max_size=14).map("".join))
@example("[ERROR]: timeout")
@example("[a]: https://x.example 'T'\n[a]: https://y.example")
@example("|a|b|\n|-|-|\n|1|2|3|4|")
@example("|a|b|\n|-|-|\n|`x||y`|2|")
@example("1. - 1. ")
def test_no_word_is_lost_or_invented_in_any_text(text: str) -> None:
    assert_same_words(text)
