"""What adding and removing a file do in the database, one transaction each.

A content is stored as pending, which takes its room, before its objects are written, and is ready when they all are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from sessions_app.conversations import access, attachments, features, storage
from sessions_app.conversations.file_schemas import FileShape, file_shape, reference_of
from sessions_app.errors import Conflict
from sessions_app.extraction.results import Extracted
from sessions_app.files.names import cleaned, suffix_of, with_suffix
from sessions_app.models import ContentState, Feature, FileContent, UserFile

_SUFFIXES = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",)}
"""How the names of pictures may end that are kept in another form than they came in."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: its name, size and SHA-256; from its user, who must be allowed to send files, or ``from_tool``."""

    name: str
    size: int
    digest: str
    from_tool: bool = False


def room_left(user_id: int) -> int:
    """Return the bytes that a user may still keep. Raises Forbidden where they may send no files."""
    features.require(user_id, Feature.FILES)
    return max(0, settings.HERMES_FILE_QUOTA - storage.stored(user_id).file_bytes)


def add_known(user_id: int, upload: Upload) -> FileShape | None:
    """Make another file of what the user has already; None where they have not. Raises NotFound, Forbidden."""
    _require(user_id, upload)
    content = _ready(user_id, upload.digest)
    return _made(content, upload.name) if content else None


def reserve(user_id: int, upload: Upload, found: Extracted) -> FileContent:
    """Store what a file holds as pending. Raises TooMany where there is no room for it, NotFound, Forbidden."""
    _require(user_id, upload)
    content = _content_of(user_id, upload, found)
    storage.admit_file(user_id, content.stored_size)
    content.save(force_insert=True)
    return content


def _require(user_id: int, upload: Upload) -> None:
    access.require_user(user_id)
    if not upload.from_tool:
        features.require(user_id, Feature.FILES)


def _content_of(user_id: int, upload: Upload, found: Extracted) -> FileContent:
    text = found.text.encode()
    pieces = {piece.digest: piece.size for piece in (found.kept, found.thumbnail, *found.images) if piece}
    kept = found.kept
    return FileContent(
        owner_id=user_id,
        digest=upload.digest,
        kept=kept.digest if kept else upload.digest,
        size=kept.size if kept else upload.size,
        stored_size=sum(pieces.values()) + (0 if kept else upload.size) + len(text),
        media_type=found.media_type,
        suffix=found.suffix,
        width=found.width,
        height=found.height,
        pages=found.pages,
        thumbnail=found.thumbnail.digest if found.thumbnail else "",
        images=[piece.digest for piece in found.images],
        image_type=found.image_type if found.images else "",
        text=found.text,
        text_digest=hashlib.sha256(text).hexdigest() if text else "",
        text_characters=len(found.text),
        notice=found.notice,
    )


def finish(user_id: int, pending: FileContent, name: str) -> tuple[FileShape, bool]:
    """Make a file of a content whose objects are all written; False where another upload of the same was faster.

    Then what was written is to be removed. Raises Conflict where it took too long, NotFound.
    """
    access.require_user(user_id)
    mine = FileContent.objects.filter(pk=pending.pk, state=ContentState.PENDING)
    known = _ready(user_id, pending.digest)
    state = ContentState.REMOVED if known else ContentState.READY
    if not mine.update(state=state):
        raise Conflict("To add this file has taken too long. Try again.")
    return _made(known or pending, name), known is None


def restore(user_id: int, content: FileContent) -> FileContent:
    """Store a content as pending that was made before. Raises TooMany (there is no room), NotFound, Forbidden."""
    access.require_user(user_id)
    features.require(user_id, Feature.FILES)
    storage.admit_file(user_id, content.stored_size)
    content.save(force_insert=True)
    return content


def give_up(pending: FileContent) -> None:
    """Have what was written of a content removed."""
    FileContent.objects.filter(pk=pending.pk, state=ContentState.PENDING).update(state=ContentState.REMOVED)


def _ready(user_id: int, digest: str) -> FileContent | None:
    return FileContent.objects.filter(owner_id=user_id, digest=digest, state=ContentState.READY).first()


def _made(content: FileContent, name: str) -> FileShape:
    file = UserFile(owner_id=content.owner_id, content=content, name=kept_name(content, name))
    file.save(force_insert=True)
    return file_shape(reference_of(file))


def kept_name(content: FileContent, name: str) -> str:
    """Return the name that a file of this content is kept under: a picture's says in which form that is."""
    name = cleaned(name)
    suffixes = _SUFFIXES.get(content.media_type)
    if suffixes and suffix_of(name) not in suffixes:
        name = with_suffix(name, suffixes[0])
    return name


def find(user_id: int, file_id: UUID) -> UserFile:
    """Return one of the user's files with its content. Raises NotFound."""
    return attachments.find(user_id, [file_id])[0]


def remove(user_id: int, file_id: UUID) -> None:
    """Remove a file that no message has. Raises NotFound, Conflict."""
    access.require_user(user_id)
    file = find(user_id, file_id)
    if not attachments.unused(UserFile.objects.filter(pk=file.pk)).exists():
        raise Conflict("A message has this file: it is deleted with its chat.")
    attachments.release(user_id, [file.pk])


def objects_of(content: FileContent) -> list[str]:
    """Return the names of all objects of a content."""
    return [name for name in dict.fromkeys([content.kept, content.thumbnail, *content.images]) if name]
