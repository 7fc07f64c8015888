"""The site's files on its host are for its own user alone: the SQLite database, what lies beside it, the secret key.

What users have added is written so (``HERMES_FILES``), in a folder that is made so.

SQLite makes -wal, -shm and -journal with the mode of the database file, so they follow it once it is right.
"""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

_SIDE_FILES = ("-wal", "-shm", "-journal", "-processes")
_UPLOADS = "files"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private() -> None:
    """Give the files 0600 and their folders 0700, and make a database that is not there with that mode.

    A file whose mode cannot be changed is told in the log. Comes before the first connection to the database.
    """
    paths = [settings.BASE_DIR / ".secret_key"]
    if (database := _sqlite_file(settings.DATABASES["default"])) is not None:
        _create(database)
        paths += [database, *(database.with_name(database.name + suffix) for suffix in _SIDE_FILES)]
        if _is_the_databases_own(database.parent, database):
            paths.append(database.parent)
    for path in paths:
        _tighten(path)


def _sqlite_file(config: dict[str, Any]) -> Path | None:
    return Path(config["NAME"]) if config["ENGINE"].endswith(".sqlite3") else None


def _create(database: Path) -> None:
    with suppress(OSError):  # it is there, or cannot be made, which SQLite says itself
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _is_the_databases_own(folder: Path, database: Path) -> bool:
    """Tell whether nothing but the database is in a folder: one for other things too is not ours to close.

    Such as the project's or a home; or /tmp (sticky), which may be empty but for us.
    """
    if not folder.is_dir() or folder.stat().st_mode & stat.S_ISVTX:
        return False
    return all(path.name.startswith(database.name) or path.name == _UPLOADS for path in folder.iterdir())


def _tighten(path: Path) -> None:
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    try:
        if mode & _OTHERS:
            path.chmod(mode & ~_OTHERS)
    except OSError as error:
        logger.warning(
            "%s stays readable for other users of this machine, with mode %04o: %s. The site's user must own it.",
            path, mode, error.strerror,
        )  # fmt: skip
