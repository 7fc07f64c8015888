"""The store of files: objects in a folder, or in S3, as ``HERMES_FILES`` says. In threads: everything here waits.

An object's key is ``OWNER/FOLDER/SHA-256``: of its own bytes, so that anybody can check a backup. A folder is made for
one upload and never used again, so no object is ever written twice, and none appears again that was removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import Storage, storages
from django.core.files.storage.filesystem import FileSystemStorage


class StoreFull(Exception):
    """There is no room for an object."""


_FULL = {28, 122}  # ENOSPC, EDQUOT


def _storage() -> Storage:
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
    return _storage().open(key, "rb")


def read(key: str) -> bytes:
    """Return the bytes of a small object. Raises FileNotFoundError, and what the store says."""
    with open_object(key) as file:
        return file.read()


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
