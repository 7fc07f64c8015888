"""Documents of Word, Excel and PowerPoint: their text, with headings and tables."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from sessions_app.extraction.bounds import MAX_CHARACTERS, SOFT_CPU_SECONDS
from sessions_app.extraction.results import Extracted, Unreadable
from sessions_app.extraction.texts import CUT

DAMAGED = "This document is damaged, or protected by a password: it cannot be opened."
NOTHING = "There is no text in this document."
_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument."
_MEDIA_TYPES = {
    "docx": f"{_MEDIA_TYPE}wordprocessingml.document",
    "xlsx": f"{_MEDIA_TYPE}spreadsheetml.sheet",
    "pptx": f"{_MEDIA_TYPE}presentationml.presentation",
}


def extract(file: BinaryIO, kind: str) -> Extracted:
    """Read a document. Raises Unreadable."""
    readers: dict[str, Callable[[BinaryIO, Extracted], Iterator[str]]] = {
        "docx": _word,
        "xlsx": _excel,
        "pptx": _powerpoint,
    }
    found = Extracted(_MEDIA_TYPES[kind], f".{kind}")
    file.seek(0)
    try:
        found.text, found.notice = _taken(readers[kind](file, found))
    except (MemoryError, Unreadable):
        raise
    except Exception as error:  # the libraries raise whatever a broken document makes them stumble over
        raise Unreadable(DAMAGED) from error
    if not found.text.strip():
        raise Unreadable(NOTHING)
    return found


def _taken(pieces: Iterable[str]) -> tuple[str, str]:
    """Join pieces of text until there is enough, or the time is up."""
    taken, characters = list[str](), 0
    for piece in pieces:
        taken.append(piece)
        characters += len(piece)
        if characters > MAX_CHARACTERS or time.process_time() > SOFT_CPU_SECONDS:
            return "".join(taken)[:MAX_CHARACTERS], CUT
    return "".join(taken), ""


def _word(file: BinaryIO, found: Extracted) -> Iterator[str]:
    import mammoth

    # HTML, because that alone of its forms has tables.
    yield mammoth.convert_to_html(file, convert_image=lambda image: []).value


def _excel(file: BinaryIO, found: Extracted) -> Iterator[str]:
    import openpyxl

    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    found.pages = len(book.worksheets)
    for number, sheet in enumerate(book.worksheets):
        yield ("\n" if number else "") + f"[Sheet {sheet.title}]\n"
        for row in sheet.iter_rows(values_only=True):
            if any(value is not None for value in row):
                yield _csv_line(row)


def _csv_line(row: tuple[Any, ...]) -> str:
    values = ["" if value is None else str(value) for value in row]
    while values and not values[-1]:
        values.pop()
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _powerpoint(file: BinaryIO, found: Extracted) -> Iterator[str]:
    import pptx

    slides = pptx.Presentation(file).slides
    found.pages = len(slides)
    for number, slide in enumerate(slides, 1):
        yield ("\n" if number > 1 else "") + f"[Slide {number}]\n"
        yield from _shapes(slide.shapes)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
            yield f"[Notes]\n{notes.text}\n"


def _shapes(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in shapes:
        if shape.has_text_frame and shape.text_frame.text.strip():
            yield f"{shape.text_frame.text}\n"
        if getattr(shape, "has_table", False):
            yield from (_csv_line(tuple(cell.text for cell in row.cells)) for row in shape.table.rows)
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
