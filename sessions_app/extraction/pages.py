"""Web pages: their title, and the text of what they are about, with its tables and links."""

from __future__ import annotations

import codecs
import re

import lxml.html
from inscriptis import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree

from sessions_app.extraction import texts
from sessions_app.extraction.results import Unreadable

MAX_HTML_CHARACTERS = 3_000_000
"""That are read of a page's source: the text of longer ones would be cut in any case."""

FEW_CHARACTERS = 200
"""A part that is marked as the main one and has less text is not."""

NOTHING = "There is no text on this page; it may be one that only a browser puts together."
_LEFT_OUT = " | ".join(
    f"//{name}"
    for name in (
        *("script", "style", "noscript", "template", "svg", "canvas", "iframe", "button", "dialog"),
        *("nav", "aside", "footer"),
        # What a reader of the page does not see, the model does not read.
        *("*[@hidden]", "*[@aria-hidden='true']"),
    )
)
_MAIN = ("//main | //*[@role='main']", "//article[not(ancestor::article)]")
_META_BYTES = 4096
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n{3,}")


def decoded(content: bytes, charset: str, *, is_html: bool) -> str:
    """Return the text in some bytes, by what their server or the page says of it if that can be. Raises Unreadable."""
    declared = _META.search(content[:_META_BYTES]) if is_html else None
    for name in (charset, declared[1].decode() if declared else ""):
        if (text := _by_name(content, name)) is not None:
            return text
    return texts.decoded(content)


def _by_name(content: bytes, charset: str) -> str | None:
    """Return the text in bytes by the name of an encoding; None where there is no such, or the bytes are none of it."""
    if any(content.startswith(mark) for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        return None
    try:
        return content.decode(charset) if charset and b"\0" not in content else None
    except (LookupError, ValueError):
        return None


def read(html: str, url: str) -> tuple[str, str]:
    """Return the title and the text of a page; its links are written out as from `url`. Raises Unreadable."""
    try:
        tree = _parsed(html)
        title = " ".join((tree.findtext(".//title") or "").split())
        _write_out_links(tree, url)
        text = Inscriptis(_main_part(tree), ParserConfig(display_links=True)).get_text()
    except (etree.LxmlError, RecursionError, ValueError) as error:
        raise Unreadable(NOTHING) from error
    # Columns of tables are filled up with spaces.
    text = _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip()
    if not text:
        raise Unreadable(NOTHING)
    return title, text


def _parsed(html: str) -> lxml.html.HtmlElement:
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    tree = lxml.html.document_fromstring(html[:MAX_HTML_CHARACTERS].encode("utf-8", "replace"), parser=parser)
    for element in tree.xpath(_LEFT_OUT):
        if element.getparent() is not None:
            element.drop_tree()
    return tree


def _write_out_links(tree: lxml.html.HtmlElement, url: str) -> None:
    """Have links name whole addresses; those that lead to no page are no links."""
    tree.make_links_absolute(url, resolve_base_href=False, handle_failures="discard")
    for link in tree.xpath("//a[@href]"):
        if not link.get("href").startswith(("http://", "https://")):
            del link.attrib["href"]


def _main_part(tree: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    """Return the part of a page that it says is the main one; the whole where it does not say."""
    for path in _MAIN:
        marked = tree.xpath(path)
        if len(marked) == 1 and len(marked[0].text_content().strip()) >= FEW_CHARACTERS:
            return marked[0]
    return tree
