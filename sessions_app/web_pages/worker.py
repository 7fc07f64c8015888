"""The process in which one page is fetched and read: its address comes as standard input, what it says goes to
standard output.

``process`` starts it as ``python -m sessions_app.web_pages.worker``. The system ends it where it takes too much
(``extraction.bounds``). SIGTERM, which service managers send to all processes of a service, is meant for the serving
one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from typing import IO, BinaryIO, cast

from sessions_app.extraction import bounds, kinds, pages, texts
from sessions_app.extraction.results import Extracted, Unreadable
from sessions_app.outbound.fetching import Fetched, Fetcher, FetchError
from sessions_app.web_pages import results
from sessions_app.web_pages.results import Page, PageError

REFUSED = ("image/", "audio/", "video/", "font/")
EMPTY = "the page is empty."
NO_TEXT = "what stands there is no text."
TOO_LARGE = "to read this page would take more memory than it may."
MEMORY_BYTES = 768 * 2**20
"""Of address space: less than a file may take, because no picture is decoded and more run at once."""

MAX_TITLE = 300
HTML = ("text/html", "application/xhtml+xml")
UNKNOWN = ("", "application/octet-stream")
"""What servers say that do not know what they have."""


async def read_page(url: str, fetcher: Fetcher) -> Page:
    """Fetch a page and read it. Raises PageError."""
    with tempfile.TemporaryFile() as file:
        try:
            found = await fetcher.fetch(url, REFUSED, file)
        except FetchError as error:
            raise PageError(error.text) from error
        return read_fetched(found, file)


def read_fetched(found: Fetched, file: IO[bytes]) -> Page:
    """Read what was fetched. Raises PageError."""
    try:
        return _read(found, file)
    except Unreadable as unreadable:
        raise PageError(NO_TEXT if unreadable.is_other_kind else unreadable.text) from None


def _read(found: Fetched, file: IO[bytes]) -> Page:
    """Read what was fetched, by what its bytes are. Raises PageError, Unreadable."""
    if not file.tell():
        raise PageError(EMPTY)
    content = cast(BinaryIO, file)
    match kinds.kind_of(content):
        case "image":
            raise PageError(NO_TEXT)
        case "pdf":
            from sessions_app.extraction import pdf

            return _document(found, pdf.extract(content, None))
        case "text":
            file.seek(0)
            return _text(found, file.read())
        case kind:
            from sessions_app.extraction import office

            return _document(found, office.extract(content, kind))


def _document(found: Fetched, extracted: Extracted) -> Page:
    return Page(found.url, "", texts.cleaned(extracted.text), extracted.notice)


def _text(found: Fetched, content: bytes) -> Page:
    is_html = found.media_type in HTML or (found.media_type in UNKNOWN and _looks_like_html(content))
    title, text = "", pages.decoded(content, found.charset, is_html=is_html)
    if is_html:
        title, text = pages.read(text, found.url)
    kept, notice = texts.shortened(texts.cleaned(text))
    if not kept.strip():
        raise PageError(EMPTY)
    return Page(found.url, texts.cleaned(title)[:MAX_TITLE], kept, notice)


def _looks_like_html(content: bytes) -> bool:
    beginning = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return beginning.startswith((b"<!doctype html", b"<html", b"<head"))


def main(fetcher: Fetcher) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(bounds.NICENESS)
    bounds.confine(MEMORY_BYTES)
    # A library that prints would write amid what was read.
    told_file = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    told: Page | PageError
    try:
        told = asyncio.run(read_page(sys.stdin.read(), fetcher))
    except PageError as error:
        told = error
    except MemoryError:
        told = PageError(TOO_LARGE)
    results.write(told_file, told)
    # At once: a look-up that was given up may still hold its thread, for which Python would wait.
    os._exit(0)


if __name__ == "__main__":
    main(Fetcher())
