"""Code is coloured by what it is: never by the machine's load, and the same while it grows."""

import re
from itertools import pairwise

import pytest

from sessions_app.web import highlight
from sessions_app.web.markdown import render


def coloured(html: str) -> str:
    """The code of the first block up to the end of its last coloured part."""
    code = re.search(r"<code>(.*?)</code>", html, re.DOTALL)
    assert code
    end = code[1].rfind("</span>")
    return re.sub(r"<[^>]*>", "", code[1][: max(end, 0)])


def block(code: str) -> str:
    return f"```python\n{code}\n```"


LINE = "x = call(1, 'two')  # three\n"


@pytest.mark.parametrize("lines", [1, 100, 1_000, 3_000])
def test_long_code_is_coloured_up_to_a_bound(lines: int) -> None:
    shown = coloured(render(block(LINE * lines)))
    assert len(shown) > min(lines * len(LINE), highlight.MAX_CODE) - len(LINE)
    assert len(shown) <= highlight.MAX_CODE


@pytest.mark.parametrize("dangerous", ["(" * 501, "word " * 121, "cat <<A\n" * 51])
def test_colours_end_before_what_costs_too_much(dangerous: str) -> None:
    html = render(block(f"x = 1\n{dangerous}\ny = 2"))
    assert coloured(html).startswith("x =")
    assert "y = 2" not in coloured(html)


def test_colours_never_leave_code_that_grows() -> None:
    code = LINE * 20 + "(" * 600 + "\n" + LINE * 20
    shown = [len(coloured(render(f"```python\n{code[:end]}"))) for end in range(0, len(code), 37)]
    assert all(after >= before - len(LINE) for before, after in pairwise(shown))


def test_the_colours_of_one_text_are_bounded() -> None:
    blocks = [LINE * 300] * 11
    html = render("\n\n".join(map(block, blocks)))
    colours = sum(
        len(re.sub(r"<[^>]*>", "", part)) for part in re.findall(r"<span class=\"[a-z0-9]+\">[^<]*</span>", html)
    )
    assert 0 < colours <= highlight.MAX_COLOURED
    assert html.count("# three") + html.count("three") >= 300 * 11


@pytest.mark.parametrize("name", ["python", "Python", "js", "c++", "C#", "sh", "yml", "tsx", "html", "diff"])
def test_usual_names_of_languages_are_known(name: str) -> None:
    assert highlight.lexer_of(name.lower()) is not None


@pytest.mark.parametrize("opening", ["```python", "~~~ js", "````  C++ title", "> ```RUST"])
def test_a_lexer_is_loaded_before_the_text_that_names_it(opening: str) -> None:
    text = f"{opening}\nx = 1\n"
    highlight.known_lexer.cache_clear()
    highlight.load_lexers(text)
    assert highlight.known_lexer.cache_info().misses == 1
    assert '<span class="' in render(text)
    assert highlight.known_lexer.cache_info().misses == 1


def test_names_of_no_language_take_no_memory() -> None:
    highlight.known_lexer.cache_clear()
    text = "\n".join(f"```no{number}\nx = 1\n```" for number in range(100))
    highlight.load_lexers(text)
    render(text)
    assert highlight.known_lexer.cache_info().currsize == 0
