"""PDF: the text of its pages, and pages as pictures where there is little text on them."""

from __future__ import annotations

import time
from typing import BinaryIO

import pypdfium2
from PIL import Image

from sessions_app.extraction.bounds import MAX_CHARACTERS, MAX_PAGE_IMAGES, MAX_PAGES, SOFT_CPU_SECONDS
from sessions_app.extraction.images import SENT_SIDE, THUMBNAIL_SIDE, encoded, thumbnail
from sessions_app.extraction.results import Extracted, Output, Unreadable

FEW_CHARACTERS = 100
"""A page with less text is shown as a picture, unless it is blank."""

LOCKED = "This PDF is protected by a password. Save it without one, and add that."
DAMAGED = "This PDF is damaged: it cannot be opened."
NO_PAGES = "This PDF has no pages."
NOTHING = "Nothing could be read in this PDF: it has neither text nor pictures."
_QUALITY = 80


class _Pages:
    """What the pages say so far."""

    def __init__(self, output: Output | None) -> None:
        self.output = output
        self.texts: list[str] = []
        self.characters = 0
        self.found = Extracted("application/pdf", ".pdf", image_type="image/jpeg")

    def add(self, page: pypdfium2.PdfPage, number: int) -> None:
        text = _text_of(page)
        heading = f"[Page {number}]"
        images = self.found.images
        if self.output and len(text) < FEW_CHARACTERS and len(images) < MAX_PAGE_IMAGES and _has_something(page):
            content, _ = encoded(_drawn(page, SENT_SIDE), _QUALITY, is_lossless=False)
            images.append(self.output.add(content))
            heading = f"[Page {number}, shown in picture {len(images)} of this file]"
        self.texts.append(f"{heading}\n{text}".strip())
        self.characters += len(self.texts[-1]) + 2

    @property
    def is_full(self) -> bool:
        return self.characters > MAX_CHARACTERS or time.process_time() > SOFT_CPU_SECONDS


def extract(file: BinaryIO, output: Output | None) -> Extracted:
    """Read a PDF; without an output its text alone. Raises Unreadable."""
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        raise Unreadable(LOCKED if "assword" in str(error) else DAMAGED) from None
    count = len(document)
    if not count:
        raise Unreadable(NO_PAGES)
    pages, read = _Pages(output), 0
    found = pages.found
    while read < min(count, MAX_PAGES) and not pages.is_full:
        page = _page(document, read)
        if page is not None and read == 0 and output is not None:
            found.thumbnail = output.add(thumbnail(_drawn(page, THUMBNAIL_SIDE)))
        if page is not None:
            pages.add(page, read + 1)
            page.close()
        read += 1
    if not found.images and not any(text.partition("\n")[2].strip() for text in pages.texts):
        raise Unreadable(NOTHING)
    found.pages, found.text = count, "\n\n".join(pages.texts)
    if read < count:
        found.notice = f"Only the first {read:,} of {count:,} pages are sent."
    return found


def _page(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage | None:
    """Return a page, None for one that is damaged."""
    try:
        return document[index]
    except pypdfium2.PdfiumError:
        return None


def _text_of(page: pypdfium2.PdfPage) -> str:
    text_page = page.get_textpage()
    try:
        text: str = text_page.get_text_bounded()
    finally:
        text_page.close()
    return text.replace("\r\n", "\n").strip()


def _has_something(page: pypdfium2.PdfPage) -> bool:
    return next(iter(page.get_objects(max_depth=1)), None) is not None


def _drawn(page: pypdfium2.PdfPage, side: int) -> Image.Image:
    """Return a page as a picture whose longer side has so many pixels."""
    scale = side / max(page.get_width(), page.get_height(), 1.0)
    drawn: Image.Image = page.render(scale=scale).to_pil()
    return drawn.convert("RGB")
