"""What a model writes becomes a page that runs nothing, loads nothing, and takes a bounded time."""

import re
from html.parser import HTMLParser
from time import thread_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions_app.web.markdown import MAX_CHARS, render
from tests.thorough import thorough

VOID = {"br", "hr", "mspace"}
LOADING_OR_RUNNING = {
    "audio", "base", "button", "embed", "form", "frame", "iframe", "img", "input", "link", "meta", "object", "script",
    "source", "style", "svg", "template", "textarea", "track", "video", "xmp", "noscript", "annotation-xml",
}  # fmt: skip


class Survey(HTMLParser):
    """Collects what a page would see: tags, attributes, and whether tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def assert_harmless(html: str) -> Survey:
    """Fails on anything that could run, load, style or point inside this site."""
    survey = Survey(html)
    assert not survey.open
    assert not set(survey.tags) & LOADING_OR_RUNNING
    for name, value in survey.attributes:
        assert not name.startswith("on")
        assert name not in {"style", "src", "srcset", "name", "action", "formaction", "background", "xlink:href"}
        if name == "id":
            assert re.fullmatch(r"note-[0-9a-f]{8}-\d+(-ref)?", value), value
        if name == "href":
            assert re.match(r"(https?|mailto):|#note-[0-9a-f]{8}-\d+(-ref)?$", value, re.IGNORECASE), value
    return survey


ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action=/accounts/logout/ method=post><button>Win</button></form>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<div\nonmouseover=alert(1)\n>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml;base64,PHN2Zy8+)",
    "[x](blob:https://a.example/1)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/accounts/logout/)",
    "[x](?next=1)",
    "[x](#top)",
    "![x](javascript:alert(1))",
    "![x](data:image/png;base64,AAAA)",
    '![x](https://evil.example/a.png"onerror="alert(1))',
    '[x](https://a.example/ "" onmouseover=alert(1) x="")',
    '[x](https://a.example/"onmouseover="alert(1))',
    "<javascript:alert(1)>",
    "<https://a.example/\"onclick='alert(1)'>",
    "https://a.example/\"onclick='alert(1)'",
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\ncode\n```',
    "```html\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>1</script> |",
    r"\(\href{javascript:alert(1)}{x}\)",
    r"$$\text{<script>alert(1)</script>}$$",
    r"$$\style{background:url(//evil.example)}{x}$$",
    r"$</math><img src=x onerror=alert(1)>$",
    "# <b onclick=alert(1)>",
    "<b onclick=alert(1)>x</b>",
    "<b/onclick=alert(1)>x</b>",
    "<kbd style='position:fixed'>x</kbd>",
    "<mark id=title>x</mark>",
    "<br onload=alert(1)>",
    "<sub><script>alert(1)</script></sub>",
    "<u><img src=x onerror=alert(1)></u>",
    "<details ontoggle=alert(1) open>\nx\n</details>",
    "<details open>\n<summary><img src=x onerror=alert(1)></summary>\n<script>alert(1)</script>\n</details>",
    "<details>\n<summary onclick=alert(1)>x</summary>\n</details>",
    '[^a"onclick=alert(1)]\n\n[^a"onclick=alert(1)]: x',
    "[^<script>]\n\n[^<script>]: <script>alert(1)</script>",
    "[x](#note-00000000-1) [y](#title)",
    "[a]: javascript:alert(1) '<script>alert(1)</script>'",
    "[a]: https://a.example/ '\"><script>alert(1)</script>'\n\n[a]",
    '```"><img src=x onerror=alert(1)> x=y\ncode\n```',
    r"\(\href{javascript:alert(1)}{x}\class{evil}{y}\style{color:red}{z}\)",
    r"$\text{<img src=x onerror=alert(1)>}$",
    r"\begin{align}\text{</math><script>alert(1)</script>}\end{align}",
    "https://a.example/<script>alert(1)</script>",
    "a\x00<script>alert(1)</script>",
    "\ud800<script>alert(1)</script>\udfff",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_become_text(attack: str) -> None:
    assert_harmless(render(attack))


PIECES = st.sampled_from(
    [*ATTACKS, "\n", "\n\n", "- ", "1. ", "> ", "    ", "```", "~~~", "`", "*", "_", "**", "~~", "[", "](", ")", "![",
     "|", "|-|\n", "# ", "$", "$$", r"\(", r"\)", r"\[", r"\]", r"\frac{", "}", "<", ">", "&", "&lt;", "\\", "https://",
     "\t", "\u202e", "\u200b", "שלום", "🜚", "[ ] ", "<b>", "</b>", "<sub>", "</sub>", "<br>", "<details>\n",
     "<summary>x</summary>\n",
     "</details>\n", "[^a]", "[^a]: ", "[a]: https://a.example/\n", r"\begin{align}", r"\end{align}", "&=", r"\\"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(PIECES | st.text(max_size=20), max_size=30).map("".join))
@example(r"$\begin{matrix}$")
@example("\r\x0c\x85\u2028")
def test_no_text_at_all_does_harm(text: str) -> None:
    assert_harmless(render(text))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("**a** *b* ~~c~~ `d`", "<strong>a</strong> <em>b</em> <s>c</s> <code>d</code>"),
        ("# A\n\n###### B", '<h3 dir="auto">A</h3>\n<h6 dir="auto">B</h6>'),
        ("3. a\n4. b", '<ol start="3">\n<li dir="auto">a</li>'),
        ("- [ ] a\n- [x] b", '<li dir="auto" class="task">☐ a</li>\n<li dir="auto" class="task">☑ b</li>'),
        ("> a", '<blockquote dir="auto">\n<p>a</p>'),
        ("- a\n\n- b", '<li dir="auto">\n<p>a</p>'),
        ("a<br>b", "a<br>\nb"),
        ("*[1]* costs $5 or $10, not $ 3", "costs $5 or $10, not $ 3"),
        (
            "|a|b|\n|:-:|--:|\n|1|2|",
            '<div class="table"><table>\n<thead>\n<tr>\n<th dir="auto" class="to-center">a</th>',
        ),
        ("|a|b|\n|:-:|--:|\n|1|2|", '<td dir="auto" class="to-right">2</td>'),
        (r"so \(x^2\) is", '<math display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'),
        ("so $x$ is", '<math display="inline">'),
        ("$$\na\n= b\n$$", '<math display="block"><mrow><mi>a</mi><mo>=</mo><mi>b</mi></mrow></math>'),
        ("- a\n\n  \\[ x \\]", '<math display="block"><mrow><mi>x</mi></mrow></math>'),
        (r"$\begin{matrix}$", r'<code class="formula" dir="ltr">$\begin{matrix}$</code>'),
    ],
)
def test_markdown(written: str, expected: str) -> None:
    assert expected in render(written)


@pytest.mark.parametrize(
    ("written", "href", "label"),
    [
        ("[a](https://b.example/)", "https://b.example/", "a"),
        ("<mailto:a@b.example>", "mailto:a@b.example", "mailto:a@b.example"),
        ("see https://b.example/c_(d).", "https://b.example/c_(d)", "https://b.example/c_(d)"),
        ("(https://b.example/)", "https://b.example/", "https://b.example/"),
        ("![a cat](https://b.example/cat.png)", "https://b.example/cat.png", "Image: a cat"),
        ("![](https://b.example/cat.png)", "https://b.example/cat.png", "Image: without description"),
        ("[![a](https://c.example/a.png)](https://b.example/)", "https://b.example/", "Image: a"),
    ],
)
def test_links_leave_the_site_and_tell_nothing(written: str, href: str, label: str) -> None:
    link = f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">{label}</a>'
    assert link in render(written)
    assert "<img" not in render(written)


def test_code_says_its_language_and_is_coloured_by_classes() -> None:
    html = render("```python\ndef f(): pass\n```")
    assert '<div class="code-head"><span class="code-language">python</span></div>' in html
    assert '<span class="k">def</span>' in html


@pytest.mark.parametrize("language", ["", "no-such-language", "text", "{.python}"])
def test_code_in_an_unknown_language_stays_as_written(language: str) -> None:
    assert Survey(render(f"```{language}\n  <a> & b\n```")).words.endswith("  <a> & b\n\n")


def test_code_keeps_its_blank_lines() -> None:
    assert "\n\n  x\n" in Survey(render("```python\n\n\n  x\n```")).words


@pytest.mark.parametrize("text", ["\u202eabc\u200b", "ὀδυσσεύς", "مرحبا **بالعالم**", "👩‍👩‍👧"])
def test_no_writing_is_lost(text: str) -> None:
    assert Survey(render(text)).words.strip() == text.replace("**", "")


def test_what_is_beyond_the_bounds_is_shown_as_written() -> None:
    text = "**<b>**" * MAX_CHARS
    assert Survey(render(text)).words == text
    assert render(text).startswith('<pre class="plain" dir="auto">**&lt;b&gt;**')


UNITS = [
    "[", "![", "`", "*", "_", "~", ">", "> ", "- ", "|", "[a](", "[a][", "\\[", "\\[\n", "$$\n", "a`", "<a ", "https://",
    "https://a))) ", "```\n",
]  # fmt: skip
DEAR_UNITS = [
    "<", "* a\n\n  * b\n", "- a\n", "a|b\n-|-\n", "#\n", "\\", "\\(", "$", "$$", "$a$ ", "&", "*a_", "~~a", "x\n\n",
    "{",
]  # fmt: skip
DEAR = {
    **{repr(unit): unit * (MAX_CHARS // len(unit)) for unit in DEAR_UNITS},
    "wide table, empty rows": "|" + "a|" * 1000 + "\n|" + "-|" * 1000 + "\n" + "|a\n" * 30_000,
}
LONG = {
    **{repr(unit): unit * (MAX_CHARS // len(unit)) for unit in UNITS},
    "lists in lists": "".join("  " * depth + "- a\n" for depth in range(310)),
    "quotes in quotes": "".join(">" * depth + " a\n" for depth in range(440)),
    "code spans of growing marks": "".join("e" + "`" * size for size in range(440)),
    "one target, many references": "[a]: https://" + "x" * 40_000 + "\n\n" + "[a]" * 4_000,
    "one title, many references": "[a]: https://x '" + "x" * 40_000 + "'\n\n" + "[a] " * 4_000,
    "one endless line of code": "```python\n" + "(" * 90_000 + "\n```",
    "braces in a formula": "$$" + "{" * 900 + "$$",
    "many empty cells in formulas": ("$$" + "&" * 900 + "$$\n\n") * 110,
}


def rendered(text: str) -> tuple[str, float]:
    """The page's source, and the seconds of this thread's own work that it took: other processes add little to them."""
    begun = thread_time()
    return render(text), thread_time() - begun


@pytest.fixture(scope="module")
def ordinary() -> float:
    """What an answer of full length costs on this machine."""
    sentence = "A sentence of **some** words, `code` and a [link](https://example.com/).\n\n"
    return rendered(sentence * (MAX_CHARS // len(sentence)))[1]


@pytest.mark.parametrize("name", [*LONG, *map(thorough, DEAR)])
def test_time_and_size_are_bounded(name: str, ordinary: float) -> None:
    """The worst costs seven ordinary answers; what grows with the square of its length, hundreds."""
    html, seconds = rendered((LONG | DEAR)[name])
    assert seconds < 50 * ordinary
    assert len(html) < 5_000_000


@pytest.mark.parametrize("mark", ["> ", "- ", "1. ", "> - "])
@pytest.mark.parametrize("depth", [1, 5, 9, 10, 19, 20, 21, 500])
def test_nothing_is_lost_however_deep_it_is_nested(mark: str, depth: int) -> None:
    assert "innermost" in render(f"before\n\n{mark * depth}innermost\n\nafter")
