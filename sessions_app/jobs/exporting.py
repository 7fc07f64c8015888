"""The job that exports an account: a ZIP, written to a file without a name, then to the store of files."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from typing import IO, BinaryIO, cast

from sessions_app import database
from sessions_app.files import store
from sessions_app.jobs import rows
from sessions_app.jobs.rows import Claim
from sessions_app.transfer import archive
from sessions_app.transfer.archive import Progress

_PIECE_BYTES = 1024 * 1024


async def export(claimed: Claim, progress: Progress) -> None:
    """Do a job. Raises ClaimLost, StoreFull, OSError."""
    file = await asyncio.to_thread(tempfile.TemporaryFile)
    try:
        report = await archive.write(claimed.owner_id, file, progress)
        digest, size = await asyncio.to_thread(_digest, file)
        key = store.key_of(claimed.owner_id, claimed.folder, digest)
        await asyncio.to_thread(store.put, key, cast(BinaryIO, file))
        try:
            await database.of(claimed.owner_id).write(rows.finish, claimed, report, digest, size)
        except rows.ClaimLost:
            await asyncio.to_thread(store.delete, [key])
            raise
    finally:
        await asyncio.to_thread(file.close)


def _digest(file: IO[bytes]) -> tuple[str, int]:
    """Return the SHA-256 and the size of a file, which is then at its beginning."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    return digest.hexdigest(), size
