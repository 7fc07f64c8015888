"""What is found in files: in this process, and of each kind by a worker, as in production."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO

import pytest
from PIL import Image

from sessions_app.extraction import bounds, images, process, results, texts, worker
from sessions_app.extraction.process import extracted
from sessions_app.extraction.results import Extracted, Piece, Unreadable, bytes_of
from tests.extraction import samples
from tests.extraction.fixtures import own_process
from tests.thorough import thorough

__all__ = ["own_process"]

Extracting = Callable[[BinaryIO, str], AbstractContextManager[tuple[Extracted, BinaryIO]]]


@contextmanager
def extracted_here(file: BinaryIO, suffix: str) -> Iterator[tuple[Extracted, BinaryIO]]:
    """What a worker does, without its process, which loads the libraries first."""
    with tempfile.TemporaryFile() as output:
        file.seek(0)
        worker.tell(file, suffix, output)
        yield results.read(output), output


class Found:
    """What was found in a file, and the bytes that were made of it."""

    def __init__(self, content: bytes, suffix: str = "", by: Extracting = extracted_here) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.flush()
            with by(file, suffix) as (told, output):
                self.told: Extracted = told
                pieces = [told.kept, told.thumbnail, *told.images]
                self._pieces = {piece.digest: bytes_of(output, piece) for piece in pieces if piece}

    def bytes(self, piece: Piece | None) -> bytes:
        assert piece is not None
        return self._pieces[piece.digest]

    def picture(self, piece: Piece | None) -> Image.Image:
        return Image.open(io.BytesIO(self.bytes(piece)))


def refusal(content: bytes, suffix: str = "", by: Extracting = extracted_here) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        Found(content, suffix, by)
    return refused.value


@pytest.mark.parametrize(
    "content",
    [
        *(samples.picture("HEIF"), samples.pdf("A page about apples. " * 10), b"a text"),
        *map(thorough, (samples.photograph(), samples.sheet(), samples.slides())),
    ],
    ids=lambda content: content[:4].hex(),
)
def test_a_worker_finds_the_same(content: bytes) -> None:
    assert Found(content, ".txt", extracted).told == Found(content, ".txt").told


def test_a_worker_refuses_the_same() -> None:
    assert vars(refusal(b"GIF" + b"\0" * 50, by=extracted)) == vars(refusal(b"GIF" + b"\0" * 50))


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "jpeg"), ("GIF", "png"), ("HEIF", "jpeg"), ("AVIF", "jpeg")],
)
def test_a_picture_is_known_by_its_bytes(form: str, media_type: str) -> None:
    found = Found(samples.picture(form), ".txt")
    told = found.told
    assert (told.media_type, told.width, told.height) == (f"image/{media_type}", 40, 20)
    assert (told.text, told.notice, told.image_type) == ("", "", f"image/{media_type}")
    left, right = (found.picture(told.images[0]).convert("RGB").getpixel((x, 10)) for x in (5, 35))
    assert left[0] > 200 > 50 > left[2]  # type: ignore[index]
    assert right[2] > 200 > 50 > right[0]  # type: ignore[index]


def test_a_photograph_stands_upright_and_says_no_place() -> None:
    content = samples.photograph()
    assert b"secret place" in content
    found = Found(content)
    assert (found.told.width, found.told.height) == (20, 40)
    for piece in (found.told.kept, found.told.thumbnail, *found.told.images):
        image = found.picture(piece)
        assert not image.getexif()
        assert b"secret" not in found.bytes(piece)
        assert image.convert("RGB").getpixel((10, 5))[0] > 200  # type: ignore[index]


def test_a_png_whose_notes_alone_are_damaged_is_a_picture() -> None:
    whole = samples.picture("PNG", dpi=(72, 72))
    note, line = whole.index(b"pHYs") + len(b"pHYs"), whole.index(b"IDAT") + len(b"IDAT")
    damaged = whole[:note] + bytes([whole[note] ^ 1]) + whole[note + 1 :]
    assert Found(damaged).told.kept == Found(whole).told.kept
    assert "damaged" in refusal(whole[:line] + bytes([whole[line] ^ 1]) + whole[line + 1 :]).text


def test_transparency_is_kept() -> None:
    found = Found(samples.picture("PNG", mode="RGBA"))
    assert found.picture(found.told.images[0]).mode == "RGBA"
    assert found.told.image_type == "image/png"


def test_a_large_picture_is_sent_smaller_than_it_is_kept() -> None:
    found = Found(samples.picture("JPEG", (5000, 2500)), by=extracted)
    assert found.picture(found.told.kept).size == (4096, 2048)
    assert found.picture(found.told.images[0]).size == (1568, 784)
    assert found.picture(found.told.thumbnail).size == (320, 160)


def test_of_an_animation_the_first_picture_is_taken() -> None:
    found = Found(samples.animation())
    assert "first picture" in found.told.notice
    assert found.picture(found.told.kept).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_deep_grey_picture_is_no_white_one() -> None:
    found = Found(samples_grey())
    assert found.picture(found.told.kept).convert("RGB").getpixel((2, 2)) == (128, 128, 128)


def samples_grey() -> bytes:
    buffer = io.BytesIO()
    Image.new("I;16", (10, 10), 128 * 256).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_pdf_is_read_by_pages() -> None:
    found = Found(samples.pdf("A page about apples. " * 10, "Another about pears. " * 10))
    told = found.told
    assert (told.media_type, told.pages, told.images) == ("application/pdf", 2, [])
    assert told.text.startswith("[Page 1]\nA page about apples.")
    assert "\n\n[Page 2]\nAnother about pears." in told.text
    assert found.picture(told.thumbnail).size[1] == 320


def test_pages_with_little_text_are_shown_as_pictures() -> None:
    found = Found(samples.scanned_pdf(pages=2))
    assert [found.picture(piece).size for piece in found.told.images] == [(1176, 1568)] * 2
    assert found.told.text == "[Page 1, shown in picture 1 of this file]\n\n[Page 2, shown in picture 2 of this file]"


@pytest.mark.thorough
def test_of_very_many_pages_the_first_are_read() -> None:
    found = Found(samples.pdf("A long page with a lot of words on it. " * 4, repeat=10_000), by=extracted)
    assert found.told.pages == 10_000
    assert "[Page 2000]" in found.told.text
    assert found.told.notice == "Only the first 2,000 of 10,000 pages are sent."


def test_a_word_document_keeps_its_tables() -> None:
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    table = f"<w:tbl><w:tr>{cell.format('apples')}{cell.format('3')}</w:tr></w:tbl>"
    found = Found(samples.word(f"<w:p><w:r><w:t>List</w:t></w:r></w:p>{table}"), by=extracted)
    assert found.told.text == "<p>List</p><table><tr><td><p>apples</p></td><td><p>3</p></td></tr></table>"
    assert found.told.media_type.endswith("wordprocessingml.document")


def test_a_workbook_is_its_sheets_as_csv() -> None:
    found = Found(samples.sheet())
    assert found.told.text == '[Sheet Fruit]\nname,count\n"apple, red",3\n\n[Sheet Empty]\n'
    assert found.told.pages == 2


def test_slides_are_titles_tables_and_notes() -> None:
    found = Found(samples.slides())
    assert found.told.text == "[Slide 1]\nOur plan\ncost,12\n[Notes]\nSay it slowly\n"


TEXT = "Grüße aus Köln: „schön“, ganz für uns, 10 €\n" * 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-16-le"])
def test_a_text_is_read_in_its_encoding(encoding: str) -> None:
    content = TEXT.encode(encoding)
    if encoding == "utf-16-le":
        content = b"\xff\xfe" + content
    assert Found(content).told.text == TEXT


def test_japanese_in_its_own_encoding_is_read() -> None:
    text = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。" * 5
    assert Found(text.encode("shift_jis")).told.text == text


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        (".md", "text/markdown"),
        (".csv", "text/csv"),
        (".py", "text/plain"),
        (".html", "text/plain"),
        ("", "text/plain"),
    ],
)
def test_a_text_is_none_of_the_kinds_that_browsers_run(suffix: str, media_type: str) -> None:
    assert Found(b"<script>alert(1)</script> a,b", suffix).told.media_type == media_type


def test_what_no_database_takes_is_left_out() -> None:
    assert texts.cleaned("a\0b\r\nc\ud800d\ve\x1bf\tg") == "ab\ncd\nef\tg"
    assert Found(b"a\r\nb\x1bc").told.text == "a\nbc"


def test_a_large_picture_with_transparency_is_sent_without_it() -> None:
    random = Image.frombytes("RGBA", (1000, 1000), os.urandom(1000 * 1000 * 4))
    buffer = io.BytesIO()
    random.save(buffer, "PNG", compress_level=1)
    found = Found(buffer.getvalue(), by=extracted)
    assert (found.told.media_type, found.told.image_type) == ("image/png", "image/jpeg")
    assert len(found.bytes(found.told.images[0])) <= images.LARGEST_SENT_BYTES


def test_a_long_text_is_cut_and_says_so() -> None:
    told = Found(b"word " * 200_000).told
    assert len(told.text) == bounds.MAX_CHARACTERS
    assert "500,000 characters" in told.notice


@pytest.mark.parametrize("content", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    refused = refusal(content)
    assert (refused.text, refused.is_other_kind) == ("This file is empty.", False)


@pytest.mark.parametrize(
    "content",
    [b"\x7fELF\x02\x01\x01\0" + b"\0" * 100, bytes(range(1, 32)) * 50, samples.zipped(a=b"x"), b"GIF" + b"\0" * 50],
)
def test_another_kind_is_refused_with_what_is_taken(content: bytes) -> None:
    refused = refusal(content)
    assert refused.is_other_kind
    assert "PDF" in refused.text


def test_a_script_in_a_pdf_is_a_pdf() -> None:
    polyglot = samples.pdf("Harmless words on a page, as many as are needed to be more than a few. " * 3)
    polyglot += b"\n<script>alert(1)</script>\n#!/bin/sh\nrm -rf /\n"
    assert Found(polyglot, ".html").told.media_type == "application/pdf"


def test_a_script_before_a_pdf_is_no_pdf() -> None:
    assert Found(b"#!/bin/sh\necho %PDF-1.4\n", ".pdf").told.media_type == "text/plain"


def test_a_picture_that_is_a_page_loses_the_page() -> None:
    found = Found(samples.picture("GIF") + b"<script>alert(1)</script>", ".html")
    assert found.told.media_type == "image/png"
    assert b"script" not in found.bytes(found.told.kept)


def test_a_truncated_photograph_is_refused() -> None:
    content = samples.picture("JPEG", (400, 400))
    assert "damaged" in refusal(content[: len(content) // 2]).text


def test_a_hundred_million_pixels_in_one_line_are_refused() -> None:
    assert "100,000,000 by 1 pixels" in refusal(samples.wide_png(), by=extracted).text


def test_an_encrypted_pdf_is_refused() -> None:
    assert "password" in refusal(samples.encrypted_pdf()).text


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnothing", b"PK\x03\x04nothing", samples.pdf()])
def test_a_damaged_document_is_refused(content: bytes) -> None:
    refused = refusal(content)
    assert not refused.is_other_kind


def test_a_document_that_unpacks_to_too_much_is_refused() -> None:
    assert "unpacks" in refusal(samples.word_bomb(301)).text


def test_a_document_of_many_entities_is_refused() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{levels}]><x>&e11;</x>'
    assert refusal(samples.word(parts={"word/document.xml": bomb.encode()}), by=extracted).text


def test_a_worker_that_takes_too_much_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "from sessions_app.extraction import bounds\nbounds.confine()\nbytearray(2 * bounds.MEMORY_BYTES)"
    monkeypatch.setattr(process, "COMMAND", [process.COMMAND[0], "-c", program])
    assert refusal(b"x", by=extracted).text == process.FAILED


def test_a_worker_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"
    monkeypatch.setattr(process, "COMMAND", [process.COMMAND[0], "-c", program])
    assert refusal(b"x", by=extracted).text == process.TOO_LONG


def test_a_worker_that_does_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMMAND", [process.COMMAND[0], "-c", "import time\ntime.sleep(600)"])
    monkeypatch.setattr(process, "WALL_SECONDS", 0.5)
    assert refusal(b"x", by=extracted).text == process.TOO_LONG
