"""Files in a request: documents as text before what was said, pictures as pictures.

A picture is a name among its user's objects. Its bytes, half a megabyte, go through no mapping and are kept with no
transcript: a *stand-in* goes through the SDKs in their place, which the wire finds again by a secret of the process
(`referenced`). What is kept is a *reference*, a name between two NULs, which JSON text never has; the bytes are put in
its place as the request leaves (`filled`). So a reference costs a hundred bytes, is the same in every process, and
tells by its SHA-256 which bytes are sent.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.content.parts import FileReference, Part, Parts

MISSING = "A file of this chat is not there as it was sent: {name}. Edit the message that has it, or start a new chat."
"""Why a conversation cannot be sent."""

IMAGE_BYTES = 6_000
"""What a picture counts in the length of a prompt: some 1,500 tokens, of four bytes each."""

_NAME_LENGTH = 97
"""Of a picture: 32 digits of a folder, a slash, 64 digits of a SHA-256."""
_SECRET = secrets.token_bytes(24)
_PADDING = b"  "
# In base64 three bytes are four characters, so a text of a multiple of three bytes stands by itself.
_STAND_IN = re.compile(re.escape(b64encode(_SECRET)) + rb"([A-Za-z0-9+/]{132})")
_REFERENCE = re.compile(rb"\0([^\0]+)\0")


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that is sent."""

    name: str
    media_type: str


class ImageSource(Protocol):
    """Where the pictures of a conversation come from."""

    async def load(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the base64 of pictures by their names. Raises ContentError for one that is not as it was."""


def images_in(parts: Iterable[Part]) -> list[Image]:
    """The pictures among a row's files, in their order."""
    files = [part for part in parts if isinstance(part, FileReference) and part.folder and part.image_type]
    return [Image(f"{part.folder}/{digest}", part.image_type or "") for part in files for digest in part.images]


def without_images(row_text: str, parts: Parts) -> tuple[str, Parts]:
    """A row's text and parts for a model that sees no pictures: it is told which there are."""
    unseen = [part for part in parts if isinstance(part, FileReference) and part.images]
    if not unseen:
        return row_text, parts
    names = ", ".join(_safe(part.name) for part in unseen)
    kept = tuple(replace(part, images=(), image_type=None) for part in parts if isinstance(part, FileReference))
    others = tuple(part for part in parts if not isinstance(part, FileReference))
    text = f"[Pictures that you cannot see: {names}]\n\n{row_text}".rstrip()
    return text, (*others, *(part for part in kept if part.is_sent))


def told(text: str, documents: Iterable[tuple[str, str]]) -> str:
    """What the model is sent for a text that was said with documents: (name, text) of each, in their order.

    Changed, it changes every prompt with a document in it.
    """
    blocks = [_block(name, document) for name, document in documents]
    return "\n\n".join([*blocks, *([text] if text.strip() or not blocks else [])])


def _block(name: str, text: str) -> str:
    # A document that says that it ends here does not.
    inside = text.replace("</document", "<\\/document")
    return f'<document name="{_safe(name)}">\n{inside}\n</document>'


def _safe(name: str) -> str:
    return re.sub(r'[<>"&\[\]]', "_", name)


def missing(name: str) -> ContentError:
    """The error of a file that is not there as it was sent."""
    return ContentError(MISSING.format(name=name))


def stand_in(name: str) -> bytes:
    """Bytes that go through the SDKs in the place of a picture."""
    if len(name) != _NAME_LENGTH or not name.isascii():
        raise ValueError("this is no name of a picture")
    return _SECRET + name.encode() + _PADDING


def name_of(content: bytes) -> str | None:
    """The name of the picture that bytes stand in for; None for other bytes."""
    return content[len(_SECRET) : len(_SECRET) + _NAME_LENGTH].decode() if content.startswith(_SECRET) else None


def referenced(element: bytes) -> bytes:
    """A serialised element with references in the place of stand-ins."""
    return _STAND_IN.sub(lambda found: b"\0" + b64decode(found[1])[:_NAME_LENGTH] + b"\0", element)


def names_in(elements: bytes) -> list[str]:
    """The names of the pictures that elements refer to, each once."""
    return list(dict.fromkeys(name.decode() for name in _REFERENCE.findall(elements)))


def count_in(elements: bytes) -> int:
    """How many references elements have."""
    return elements.count(b"\0") // 2


def filled(content: bytes, images: Mapping[str, bytes]) -> bytes:
    """A body with the base64 of pictures in the place of references."""
    if b"\0" not in content:
        return content
    return _REFERENCE.sub(lambda found: images[found[1].decode()], content)
