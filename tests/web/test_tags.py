"""The tags that are honoured, folds, footnotes, definitions, tables: as people expect of a chat, and nothing lost."""

import re

import pytest

from sessions_app.web.markdown import render
from tests.web.pages import line


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("H<sub>2</sub>O", "H<sub>2</sub>O"),
        ("x<sup>2</sup>", "x<sup>2</sup>"),
        ("<kbd>Ctrl</kbd>+<KBD>C</KBD>", "<kbd>Ctrl</kbd>+<kbd>C</kbd>"),
        ("<mark>**a**</mark>", "<mark><strong>a</strong></mark>"),
        ("**<u>a</u>**", "<strong><u>a</u></strong>"),
        ("<s>a</s> <del>b</del> <ins>c</ins>", "<s>a</s> <del>b</del> <ins>c</ins>"),
        ("<b>a <i>b</i></b>", "<b>a <i>b</i></b>"),
        ("one<br>two<br/>three<BR />four", "one<br>\ntwo<br>\nthree<br>\nfour"),
        ("`<b>a</b>`", "<code>&lt;b&gt;a&lt;/b&gt;</code>"),
    ],
)
def test_a_few_tags_are_honoured(written: str, expected: str) -> None:
    assert line(written) == expected


@pytest.mark.parametrize(
    "written",
    ["<b>a", "a</b>", "</b>a<b>", "<span>a</span>", "<b class=x>a</b>", "<!-- a -->",
     "<p>a</p>", "<custom-a>b</custom-a>",
     "<details>", "</details>", "<summary>a</summary>", "<detail>a</detail>", "<sub>a</sup>"],
)  # fmt: skip
def test_other_tags_are_text(written: str) -> None:
    assert line(written) == written.replace("<", "&lt;").replace(">", "&gt;")


def test_a_tag_never_closed_takes_nothing_with_it() -> None:
    assert line("**a<sub>b** c</sub> <i>d <u>e</u>") == (
        "<strong>a&lt;sub&gt;b</strong> c&lt;/sub&gt; &lt;i&gt;d <u>e</u>"
    )


def test_breaks_in_cells() -> None:
    assert '<td dir="auto">one<br>\ntwo</td>' in render("|a|\n|-|\n|one<br>two|")


def test_a_poem_keeps_its_lines() -> None:
    assert line("roses\nviolets\n  sugar  \nyou") == "roses<br>\nviolets<br>\nsugar<br>\nyou"


def test_a_fold_holds_markdown() -> None:
    html = render("<details>\n<summary>More **here**</summary>\n\n- a\n\n```\n</details>\n```\n\n</details>\n\nafter")
    assert html.startswith("<details>\n<summary")
    assert "More <strong>here</strong></summary>" in html
    assert (
        html.index("<li")
        < html.index("&lt;/details&gt;")
        < html.index("</details>")
        < html.index('<p dir="auto">after')
    )


def test_folds_nest_and_stand_in_lists() -> None:
    html = render("- <details><summary>a</summary>\n\n  <details open>\n  b\n  </details>\n  </details>\n- c")
    assert (html.count("<details>"), html.count("</details>"), html.count("<li")) == (2, 2, 2)


@pytest.mark.parametrize(
    "written", ["<details>\n\nb\n\n# c", "- <details>\n\nb\n</details>", "<details>\n<details>\nb\n</details>"]
)
def test_a_fold_never_closed_hides_nothing(written: str) -> None:
    assert "b" in re.sub(r"(?s)<details>.*</details>", "", render(written)) or written.count("<details>") == 2
    assert "&lt;details&gt;" in render(written)


def test_footnotes_lead_there_and_back() -> None:
    html = render("a[^1] b[^x y] c[^long] d[^1]\n\n[^1]: one\n[^long]: two\n\n    more")
    ids = re.findall(r'id="([^"]+)"', html)
    assert len(ids) == len(set(ids)) == 4
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets == set(ids)
    assert "[^x y]" in html
    assert "<p>more</p>" in html
    assert "target" not in html


def test_footnotes_of_two_texts_have_other_ids() -> None:
    first, second = (set(re.findall(r'id="([^"]+)"', render(f"{text}[^1]\n\n[^1]: note"))) for text in "ab")
    assert len(first) == len(second) == 2
    assert not first & second


@pytest.mark.parametrize(
    "written",
    ["[^1]: alone", "a[^1]\n\n[^1]: one\n\n[^1]: alone", "- a[^1]\n\n  [^1]: alone", "> [^1]: alone",
     "[^1]: [^2]: alone",
     "[^1]: a\n\n    [^2]: alone\n\nb[^1]"],
)  # fmt: skip
def test_every_note_is_on_the_page(written: str) -> None:
    assert "alone" in render(written)


def test_a_note_that_is_not_there_is_no_link() -> None:
    assert line("a[^1]") == "a[^1]"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[ERROR]: timeout", "[ERROR]: timeout"),
        ("[a]: javascript:alert(1) 'x'", "[a]: javascript:alert(1) 'x'"),
        ("[a](/b)", "[a](/b)"),
        ('[a](b.md "c")', '[a](b.md "c")'),
        ("![a](data:image/png;base64,AAAA)", "![a](data:image/png;base64,AAAA)"),
    ],
)
def test_what_leads_nowhere_stays_as_written(written: str, expected: str) -> None:
    assert line(written) == expected


def test_definitions_stay_in_sight_and_work() -> None:
    html = render('see [docs][1]\n\n[1]: https://a.example/ "Title"\n[1]: https://b.example/')
    assert '<a href="https://a.example/" title="Title" target="_blank"' in html
    assert '[1]: <a href="https://a.example/"' in html
    assert '"Title"</p>' in html
    assert '[1]: <a href="https://b.example/"' in html


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| 1 | 2 | 3 | 4 |", ["1", "2", "3", "4"]),
        ("| 1 |", ["1", ""]),
        ("| `a || b` | or |", ["<code>a || b</code>", "or"]),
        ("| ``a | ` | b`` | or |", ["<code>a | ` | b</code>", "or"]),
        ("| `a | b |", ["`a", "b"]),
        (r"| a \| b | `c \| d` |", ["a | b", "<code>c | d</code>"]),
        (r"| \`a | b\` |", ["`a", "b`"]),
        ("| || x |", ["", "", "x"]),
        ("1 | 2 | 3", ["1", "2", "3"]),
    ],
)
def test_every_cell_of_a_row_is_there(row: str, cells: list[str]) -> None:
    html = render(f"| a | b |\n|---|---|\n{row}")
    assert re.findall(r"<td[^>]*>(.*)</td>", html) == cells


def test_the_words_behind_a_language_are_shown() -> None:
    assert '<span class="code-language">python title="app.py" {1,3}</span>' in render(
        '```python title="app.py" {1,3}\nx\n```'
    )


def test_an_image_within_a_link_keeps_its_address() -> None:
    html = render('[![b](https://img.example/b.svg "t")](https://ci.example)')
    assert re.findall(r'href="([^"]*)"', html) == ["https://ci.example", "https://img.example/b.svg"]
    assert 'title="t"' in html


def test_a_link_without_words_shows_its_address() -> None:
    assert "https://a.example/</a>" in render("[](https://a.example/)")


def test_underlines_make_no_headings() -> None:
    assert render("Title\n---\nx") == '<p dir="auto">Title</p>\n<hr>\n<p dir="auto">x</p>\n'
    assert "<h" not in render("Title\n===")
