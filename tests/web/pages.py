"""Small views on rendered HTML."""

import re

from sessions_app.web.markdown import render


def line(written: str) -> str:
    """The HTML of a text that is one paragraph, without the paragraph."""
    html = render(written).strip()
    found = re.fullmatch(r'<p dir="auto">(.*)</p>', html, re.DOTALL)
    assert found, html
    return found[1]


def links(written: str) -> list[str]:
    """The texts of the links in a text that is one paragraph, each of which must lead to what it says."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', render(written))
    assert all(href == label for href, label in found)
    return [label.replace("&amp;", "&") for _, label in found]
