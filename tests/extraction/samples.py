"""Files as people have them, and files as nobody should send them; made here, each a few kilobytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import openpyxl
import pillow_heif
import pptx
import pypdfium2
from PIL import Image
from pptx.util import Inches

GPS = 0x8825
ORIENTATION = 0x0112
TURNED_RIGHT = 6


def picture(form: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **options: Any) -> bytes:
    """A picture, red on its left half and blue on its right."""
    image = Image.new(mode, size, "blue")
    image.paste(Image.new(mode, (size[0] // 2, size[1]), "red"), (0, 0))
    buffer = io.BytesIO()
    if form == "HEIF":
        pillow_heif.register_heif_opener()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def photograph() -> bytes:
    """A JPEG that a phone has taken: it lies on its side, and says where."""
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_RIGHT
    exif.get_ifd(GPS)[2] = (48.0, 12.0, 30.0)
    return picture("JPEG", exif=exif, comment=b"secret place")


def animation() -> bytes:
    """A GIF of two pictures."""
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def wide_png(width: int = 100_000_000) -> bytes:
    """A PNG of so many pixels and one line, in some hundred kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    line = packer.compress(b"\0" * (width // 8 + 1)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, 1, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", line) + chunk(b"IEND", b"")


def pdf(*texts: str, repeat: int = 1) -> bytes:
    """A PDF with a page for each text, in Helvetica."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    pages: list[str] = []
    for text in texts * repeat:
        lines = [f"({line}) Tj 0 -14 Td" for line in text.splitlines()]
        content = f"BT /F1 12 Tf 50 700 Td {' '.join(lines)} ET".encode("latin1")
        objects.append(b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
        pages.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(pages)}]>>".encode()
    return _pdf_of(objects)


def _pdf_of(objects: list[bytes]) -> bytes:
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table) + end


def scanned_pdf(pages: int = 2) -> bytes:
    """A PDF whose pages are pictures alone."""
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        page = document.new_page(600, 800)
        image = pypdfium2.PdfImage.new(document)
        image.load_jpeg(io.BytesIO(picture("JPEG", (300, 400))))
        image.set_matrix(pypdfium2.PdfMatrix().scale(600, 800))
        page.insert_obj(image)
        page.gen_content()
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def encrypted_pdf() -> bytes:
    """A PDF that opens with a password only: as RC4's dictionary says, whatever the password is."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 0/Kids[]>>",
        b"<</Filter/Standard/V 1/R 2/P -44/O<%s>/U<%s>>>" % (b"ab" * 32, b"cd" * 32),
    ]
    plain = _pdf_of(objects)
    return plain.replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 3 0 R/ID[<00><00>]")


def word(
    body: str = "<w:p><w:r><w:t>Dear reader</w:t></w:r></w:p>", parts: Mapping[str, bytes | str] | None = None
) -> bytes:
    """A document of Word."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{office}" Target="word/document.xml"/></Relationships>'
    )
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    document = f'<w:document xmlns:w="{main}"><w:body>{body}</w:body></w:document>'
    usual = {"[Content_Types].xml": types, "_rels/.rels": relations, "word/document.xml": document}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**usual, **(parts or {})}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def word_bomb(megabytes: int) -> bytes:
    """A document of Word that says that its last part unpacks to so much."""
    content = bytearray(word("<w:p/>"))
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, megabytes * 2**20)
    return bytes(content)


def sheet() -> bytes:
    """A workbook of Excel with two sheets."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "Fruit"
    first.append(["name", "count"])
    first.append(["apple, red", 3])
    book.create_sheet("Empty")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def slides() -> bytes:
    """A presentation of PowerPoint: a title, a table, and notes."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Our plan"
    table = slide.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(3), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "cost", "12"
    slide.notes_slide.notes_text_frame.text = "Say it slowly"
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def zipped(**members: bytes) -> bytes:
    """An archive that is no document."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()
