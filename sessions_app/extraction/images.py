"""Pictures: decoded, turned upright, without their metadata, in sizes for people and for models."""

from __future__ import annotations

import io
from typing import BinaryIO

import pillow_heif
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from sessions_app.extraction.bounds import MAX_PIXELS, MAX_SIDE
from sessions_app.extraction.png_chunks import readable
from sessions_app.extraction.results import Extracted, Output, Unreadable

FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "HEIF", "AVIF"]
"""What is decoded, whatever else the library could."""

KEPT_SIDE, SENT_SIDE, THUMBNAIL_SIDE = 4096, 1568, 320
"""Pixels of the longer side of the picture that is kept, of what a model is sent (no provider sees more) and of the
small one on the page."""

LARGEST_PNG_BYTES = 1_500_000
"""A picture without transparency that is larger as PNG becomes a JPEG."""

LARGEST_SENT_BYTES = 3_500_000
"""Five megabytes of base64 are the most that providers take of one picture."""

DAMAGED = "This picture is damaged: it cannot be read to its end."
ANIMATED = "Of this animation only the first picture is sent."
_KEPT_QUALITY, _SENT_QUALITY = 90, 85
_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I", "F")

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def extract(file: BinaryIO, output: Output) -> Extracted:
    """Read a picture. Raises Unreadable."""
    pillow_heif.register_heif_opener()
    try:
        with Image.open(readable(file), formats=FORMATS) as image:
            _check_size(image)
            notice = ANIMATED if getattr(image, "n_frames", 1) > 1 and image.format != "MPO" else ""
            is_lossless = image.format in ("PNG", "GIF")
            kept = _upright(image)
    except UnidentifiedImageError:
        raise Unreadable(DAMAGED) from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise Unreadable(DAMAGED) from error
    found = _of(kept, output, is_lossless=is_lossless)
    found.notice = notice
    return found


def _of(kept: Image.Image, output: Output, *, is_lossless: bool) -> Extracted:
    content, media_type = encoded(kept, _KEPT_QUALITY, is_lossless=is_lossless)
    found = Extracted(media_type, suffix_of(media_type), *kept.size)
    found.kept = output.add(content)
    found.thumbnail = output.add(thumbnail(kept))
    if max(kept.size) <= SENT_SIDE and len(content) <= LARGEST_SENT_BYTES:
        found.images, found.image_type = [found.kept], media_type
        return found
    smaller = scaled(kept, SENT_SIDE)
    sent, found.image_type = encoded(smaller, _SENT_QUALITY, is_lossless=is_lossless)
    if len(sent) > LARGEST_SENT_BYTES:
        sent, found.image_type = encoded(_on_white(smaller), _SENT_QUALITY, is_lossless=False)
    found.images = [output.add(sent)]
    return found


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise Unreadable(
            f"This picture has {width:,} by {height:,} pixels. At most {MAX_PIXELS // 1_000_000} million are taken, "
            f"and {MAX_SIDE:,} in each direction."
        )


def _upright(image: Image.Image) -> Image.Image:
    """Return the picture as it is to be looked at, no larger than it is kept, and nothing of it but pixels."""
    profile = image.info.get("icc_profile")
    # A JPEG is decoded smaller where that is enough.
    image.thumbnail((KEPT_SIDE, KEPT_SIDE))
    image.load()
    turned = ImageOps.exif_transpose(image)
    plain = _in_srgb(_in_plain_mode(turned), profile)
    # A copy of the pixels alone: what a library keeps in ``info`` may be written again.
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def _in_plain_mode(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP_MODES:
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture in the colours that all take for granted; unchanged where its profile is none."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


def scaled(image: Image.Image, side: int) -> Image.Image:
    """Return a picture whose longer side has at most so many pixels."""
    smaller = image.copy()
    smaller.thumbnail((side, side))
    return smaller


def _on_white(image: Image.Image) -> Image.Image:
    """Return a picture without transparency."""
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return ground


def thumbnail(image: Image.Image) -> bytes:
    """Return a small WebP of a picture."""
    return _saved(scaled(image, THUMBNAIL_SIDE), "WEBP", quality=80)


def encoded(image: Image.Image, quality: int, *, is_lossless: bool) -> tuple[bytes, str]:
    """Return a picture as PNG, where it is drawn rather than photographed or has transparency, or as JPEG."""
    if image.mode == "RGBA" or is_lossless:
        content = _saved(image, "PNG", optimize=True)
        if image.mode == "RGBA" or len(content) <= LARGEST_PNG_BYTES:
            return content, "image/png"
    return _saved(image, "JPEG", quality=quality, optimize=True), "image/jpeg"


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def suffix_of(media_type: str) -> str:
    """Return how the name of a picture ends."""
    return ".png" if media_type == "image/png" else ".jpg"
