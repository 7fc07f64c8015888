# ruff: noqa: RUF001 - the writing of other languages is what this is about
"""Where a bare link ends: where a reader would end it."""

import pytest

from tests.web.pages import line, links


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://example.com/docs（说明）了解", "https://example.com/docs"),
        ("见https://example.com了解更多", "https://example.com"),
        ("https://example.com。", "https://example.com"),
        ("https://example.com，然后", "https://example.com"),
        ("「https://example.jp/page」を", "https://example.jp/page"),
        ("https://example.com/docs를 보세요", "https://example.com/docs"),
        ("ดูhttps://example.com/pageครับ", "https://example.com/page"),
        ("https://example.com/a،وهذا", "https://example.com/a"),
        ("https://example.com/a।", "https://example.com/a"),
        ("“https://example.com/a”b", "https://example.com/a"),
        ("«https://example.com/a»", "https://example.com/a"),
        ('"https://example.com/a"', "https://example.com/a"),
        ("`` https://example.com/`", "https://example.com/"),
        ("(https://example.com/a)b", "https://example.com/a"),
        ("(see https://example.com/a_(b)).", "https://example.com/a_(b)"),
        ("https://example.com/a_(b", "https://example.com/a_(b"),
        ("[https://example.com/a]", "https://example.com/a"),
        ("https://example.com/?a[]=1&b={c}", "https://example.com/?a[]=1&b={c}"),
        ("https://example.com/x]y", "https://example.com/x"),
        ("https://example.com/a.", "https://example.com/a"),
        ("https://example.com/a?!…", "https://example.com/a"),
        ("https://example.com/a,b;c:d.e", "https://example.com/a,b;c:d.e"),
        ("**https://example.com/a**", "https://example.com/a"),
        ("_https://example.com/a_b_", "https://example.com/a_b"),
        ("~~https://example.com/~ann/~~", "https://example.com/~ann/"),
        ("https://example.com/a*b*c", "https://example.com/a*b*c"),
        ("https://example.com/$a$b", "https://example.com/$a$b"),
        ("https://example.com/?a=1&copy=2", "https://example.com/?a=1&copy=2"),
        ("https://example.com/a\\_b", "https://example.com/a_b"),
        ("https://example.com/a|b", "https://example.com/a"),
        ("https://例え.jp/道", "https://例え.jp/道"),
        ("https://abc日本.jp/", "https://abc日本.jp/"),
        ("https://münchen.example/straße", "https://münchen.example/straße"),
        ("https://zh.wikipedia.org/wiki/中文", "https://zh.wikipedia.org/wiki/中文"),
        ("https://ko.wikipedia.org/wiki/서울", "https://ko.wikipedia.org/wiki/서울"),
        ("https://fr.wikipedia.org/wiki/Été", "https://fr.wikipedia.org/wiki/Été"),
        ("https://ru.wikipedia.org/wiki/Москва", "https://ru.wikipedia.org/wiki/Москва"),
        (
            "https://en.wikipedia.org/wiki/Bose–Einstein_condensate –",
            "https://en.wikipedia.org/wiki/Bose–Einstein_condensate",
        ),
        ("http://localhost:8080/x", "http://localhost:8080/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("HTTPS://EXAMPLE.COM/", "HTTPS://EXAMPLE.COM/"),
        ("https://user@example.com/", "https://user@example.com/"),
    ],
)
def test_a_bare_link_ends_where_a_reader_would_end_it(written: str, expected: str) -> None:
    assert links(written) == [expected]


def test_two_links_side_by_side() -> None:
    assert links("https://a.example和https://b.example，https://c.example") == [
        "https://a.example",
        "https://b.example",
        "https://c.example",
    ]


@pytest.mark.parametrize(
    "written", ["https://", "https:// x", "https://。", "xhttps://a.example", "www.example.com", "a.py"]
)
def test_what_is_no_address_stays_text(written: str) -> None:
    assert line(written) == written


@pytest.mark.parametrize("written", ["`https://a.example`", "[https://a.example](https://a.example)"])
def test_no_link_within_code_or_a_link(written: str) -> None:
    assert line(written).count("<a ") == written.count("](")
