"""Tell at once that another process of this machine is dead.

The lease says it for every process, but only after its time. Processes that share a SQLite file
share a machine, so each keeps a lock on a small file beside the database; the kernel lets go
of it at the moment the process ends, however it ends. With PostgreSQL the lease alone decides.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path

from django.db import connections


class Process:
    """This process, as turns name it; ``name`` is fresh for every start.

    Holds its lock from ``start`` to ``end``.
    """

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self._lock: int | None = None

    def start(self) -> None:
        """Begin to be seen as alive; forget files that dead processes left."""
        folder = _folder()
        if folder is None:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in folder.glob("[!.]*"):
            if not _is_held(path):
                path.unlink(missing_ok=True)
        # Under its real name the file is never seen without its lock.
        unlocked = folder / f".{self.name}"
        self._lock = os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unlocked.rename(folder / self.name)

    def end(self) -> None:
        """Be seen as dead."""
        if self._lock is not None:
            folder = _folder()
            if folder is not None:
                (folder / self.name).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def known_dead(name: str) -> bool:
    """Tell whether the process of this name has certainly ended."""
    folder = _folder()
    return folder is not None and bool(name) and not _is_held(folder / name)


def _folder() -> Path | None:
    settings = connections["default"].settings_dict
    if connections["default"].vendor != "sqlite":
        return None
    return Path(f"{settings['NAME']}-processes")


def _is_held(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)
