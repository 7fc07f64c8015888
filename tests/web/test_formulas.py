# ruff: noqa: RUF001 - the writing of other languages is what this is about
"""What is a formula and what is money, and that a formula is shown in full or as it was written."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.web import formulas
from sessions_app.web.markdown import render
from tests.web.pages import line

ROWS = r"<mtr>"


@pytest.mark.parametrize(
    "written",
    [
        "5$/kg and 10$/kg",
        "$HOME/bin:$PATH",
        "$5 and $10",
        "US$5 or A$7.50",
        "a$b$c",
        "$1 and $2",
        "$1,$2,$3",
        "$3/month or 10$.",
        "costs $5 to 10$, say",
        "between $5-$10",
        "**$5** or **10$**",
        "价格为$5，另一个是10$。",
        "$A/$B/$C",
        "$$ is the process",
        "$ x $",
        r"\$x\$",
    ],
)
def test_money_and_variables_are_text(written: str) -> None:
    html = render(written)
    assert "<math" not in html
    assert "formula" not in html


@pytest.mark.parametrize(
    ("written", "formulas"),
    [
        ("$x$", 1),
        ("设$x$为实数，$y$也是", 2),
        ("($x$), $y$. $z$!", 3),
        ("$5x + 3$ and $2^n$", 2),
        (r"$\text{if $k$ then}$", 1),
        (r"\(a\) and \(b\)", 2),
        ("$$x$$ is larger than $$y$$", 2),
        (r"rows $$g \\ h$$ here", 1),
        (r"so \[ x \] is", 1),
        (r"then \begin{pmatrix} a \\ b \end{pmatrix} follows", 1),
        ("- $$x$$\n- $y$", 2),
        ("|a|\n|-|\n|$x$|", 1),
        ("# About $x$", 1),
    ],
)
def test_formulas_are_formulas(written: str, formulas: int) -> None:
    assert render(written).count("<math") == formulas


def test_two_formulas_stand_within_their_line() -> None:
    assert 'display="block"' not in render("$$x$$ is larger than $$y$$")


ENVIRONMENTS = (
    "align align* aligned gather gather* gathered split eqnarray multline cases dcases rcases matrix pmatrix bmatrix"
)


MARKS = ("{}", "$${}$$", "$$\n{}\n$$", r"\[{}\]", "- {}", "> $${}$$", r"Then $$f = {}$$ follows")


def test_rows_are_rows() -> None:
    others = []
    for name, marks in product(ENVIRONMENTS.split(), MARKS):
        amp = "" if name in ("gather", "gather*", "gathered", "multline") else "&"
        written = marks.format(rf"\begin{{{name}}} a {amp}= b \\ c {amp}= d \end{{{name}}}")
        html = render(written)
        others += [] if html.count(ROWS) == 2 and "&amp;" not in html and "(1)" not in html else [(written, html)]
    assert others == []


def test_an_array_keeps_its_columns() -> None:
    html = render(r"$$\left[\begin{array}{cc|c} 1 & 2 & 3 \\ 4 & 5 & 6 \end{array}\right]$$")
    assert (html.count(ROWS), html.count("<mtd")) == (2, 6)


def test_rows_without_an_environment_are_rows() -> None:
    assert render(r"$$a &= b \\ c &= d$$").count(ROWS) == 2
    assert render(r"$$a \\ b$$").count(ROWS) == 2


@pytest.mark.parametrize(
    "written",
    [
        r"$\foo{x}$",
        r"$\frac{1$",
        r"$a}b{$",
        r"$a & b$",
        r"$50% of x$",
        r"$\ce{H2O}$",
        r"$\begin{foo}x\end{foo}$",
        r"$\begin{matrix}x\end{pmatrix}$",
        r"$\text{a {b} c}$",
        r"$\left( x$",
        r"$x^2^3$",
        r"$\href{https://a.example/}{x}$",
        r"$\def\a{b}\a$",
        r"$\newcommand{\a}{\b\b}\a$",
        r"$x \above y z$",
        r"\(\foo\)",
        r"$$\foo$$",
        r"\[\foo\]",
        r"\begin{align}\foo\end{align}",
    ],
)
def test_a_formula_that_cannot_be_read_is_shown_with_its_marks(written: str) -> None:
    html = render(f"{written}")
    source = re.search(r'<code class="formula" dir="ltr">(.*)</code>', html, re.DOTALL)
    assert source, html
    assert source[1].replace("&amp;", "&") == written


@pytest.mark.parametrize(
    ("written", "letters"),
    [
        (r"$\text{50\% of all}$", "50% of all"),
        (r"$\text{a < b & c}$", "a < b & c"),
        (r"$\text{速度} = v$", "速度=v"),
        (r"$\textcolor{red}{x} + \color{blue} y$", "x+y"),
        (r"$$x \label{eq:1} \tag{7}$$", "x(7)"),
        (r"$$a \\[2pt] b$$", "ab"),
        (r"$\mathbb{R}\ \&\ \%$", "ℝ & %"),
        (r"$x < y > z$", "x<y>z"),
    ],
)
def test_words_within_formulas_are_all_there(written: str, letters: str) -> None:
    html = render(written)
    assert "<math" in html
    shown = re.sub(r"<[^>]*>", "", html).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert shown.replace("\xa0", " ").replace("&nbsp;", " ").strip() == letters


PARTS = st.sampled_from(
    ["a", "b2", "x_1", "^2", "{", "}", r"\frac", r"\frac{1}{2}", r"\sqrt{y}", r"\left(",
     r"\right)", r"\text{word}", r"\text{",
     "&", r"\\", r"\begin{align}", r"\end{align}", r"\begin{cases}", r"\end{cases}",
     r"\alpha", r"\nope", "%", "#", "~", "'",
     r"\{", r"\}", r"\limits", r"\color{red}", r"\mathbf{v}", r"\operatorname{rank}", "=", "<", "字", " "]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=12).map("".join))
def test_no_mark_is_left_in_a_formula(formula: str) -> None:
    html = render(f"$${formula}$$")
    for shown in re.findall(r"<math.*?</math>", html, re.DOTALL):
        text = re.sub(r"<[^>]*>", "", shown)
        assert not re.search(r"\\[a-zA-Z]", text)
        assert text.count("字") == formula.count("字")
        assert "linebreak" not in shown


def test_a_formula_within_a_sentence_keeps_the_sentence() -> None:
    assert re.sub(r"<math.*?</math>", "M", line("so $x$ is, and \\(y\\) too")) == "so M is, and M too"


def test_the_formulas_of_one_text_are_bounded_in_sum() -> None:
    formula = "$" + "x^{2}" * 190 + "$"
    count = formulas.MAX_IN_FORMULAS // (len(formula) - 2)
    html = render("\n\n".join([formula] * (count + 5)))
    assert html.count("<math") == count
    assert html.count(f'<code class="formula" dir="ltr">{formula}</code>') == 5
    assert html.rfind("<math") < html.find('<code class="formula"')  # so those before never change while a text grows
