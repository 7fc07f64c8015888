"""The store of files: objects in a folder, or in S3, as ``HERMES_FILES`` says. In threads: everything here waits.

An object's key is ``OWNER/FOLDER/SHA-256``: of its own bytes, so that anybody can check a backup. A folder is made for
one upload and never used again, so no object is ever written twice, and none appears again that was removed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any, BinaryIO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import storages
from django.core.files.storage.filesystem import FileSystemStorage


class StoreFull(Exception):
    """There is no room for an object."""


_FULL = {28, 122}  # ENOSPC, EDQUOT


_FOLDER = re.compile(r"\d+/([0-9a-f]{32})")


def _storage() -> Any:
    # Of two kinds, which have more than what Django's own types say of all.
    return storages["files"]


def key_of(owner_id: int, folder: UUID, digest: str) -> str:
    """Return the key of an object."""
    return f"{owner_id}/{folder.hex}/{digest}"


def put(key: str, content: BinaryIO) -> None:
    """Write an object, which is on the disk when this returns. Raises StoreFull, and what the store says."""
    storage = _storage()
    try:
        storage.save(key, File(content, name=key))
        if isinstance(storage, FileSystemStorage):
            _flush(Path(storage.path(key)))
    except OSError as error:
        delete([key])
        if error.errno in _FULL:
            raise StoreFull from error
        raise


def _flush(path: Path) -> None:
    """Have a file survive a power cut: its bytes, and its name in the folders that were made for it."""
    for flushed in (path, path.parent, path.parent.parent):
        descriptor = os.open(flushed, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_object(key: str) -> IO[bytes]:
    """Return an object to be read. Raises FileNotFoundError, and what the store says."""
    file: IO[bytes] = _storage().open(key, "rb")
    return file


def read(key: str) -> bytes:
    """Return the bytes of a small object. Raises FileNotFoundError, and what the store says."""
    with open_object(key) as file:
        return file.read()


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one upload in the store: its key, its id, and the names of its objects."""

    key: str
    id: UUID
    names: tuple[str, ...]


def folders() -> Iterator[Folder]:
    """Yield all folders of uploads, in the order of their keys; what is called otherwise is none of ours."""
    for key, paths in groupby(_paths(), lambda path: path.rpartition("/")[0]):
        if found := _FOLDER.fullmatch(key):
            yield Folder(key, UUID(found[1]), tuple(name for path in paths if (name := path.rpartition("/")[2])))


def _paths() -> Iterator[str]:
    """Yield the keys of all objects; of an empty folder on the disk its own, with a slash."""
    storage = _storage()
    if not isinstance(storage, FileSystemStorage):
        prefix = f"{storage.location}/" if storage.location else ""
        for found in storage.bucket.objects.filter(Prefix=prefix):
            yield found.key.removeprefix(prefix)
        return
    root = Path(storage.location)
    for folder in sorted(root.glob("*/*")):
        names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
        for name in names or [""]:
            yield f"{folder.relative_to(root)}/{name}"


def remove_folder(folder: Folder) -> None:
    """Remove the folder of an upload with all that is in it."""
    delete([f"{folder.key}/{name}" for name in folder.names])
    storage = _storage()
    if isinstance(storage, FileSystemStorage):
        with suppress(OSError):  # it is gone already, or was filled meanwhile
            Path(storage.path(folder.key)).rmdir()


def delete(keys: Iterable[str]) -> None:
    """Remove objects; those that are not there are removed already."""
    storage = _storage()
    keys = list(keys)
    for key in keys:
        storage.delete(key)
    if isinstance(storage, FileSystemStorage):
        for folder in {Path(storage.path(key)).parent for key in keys}:
            with suppress(OSError):  # it was never made, or is not empty
                folder.rmdir()
