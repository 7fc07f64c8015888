"""What a user may store: sessions, characters of text, bytes of files; counted by triggers (``database/sql``).

The counts are read, never made, here: what a command costs does not grow with what its user has. Two commands of one
user that could both take the last place wait for each other (``access.lock_user``). Answers are stored whatever is used
up.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from sessions_app.database import plain
from sessions_app.errors import TooMany

# Rows of one user that may wait to be summed up (PostgreSQL).
_ROWS = 50
_COUNTS = "SELECT id, sessions, characters, file_bytes FROM sessions_app_storagecount WHERE owner_id = %s"
_REMOVE = "DELETE FROM sessions_app_storagecount WHERE id = %s"
_ADD = "INSERT INTO sessions_app_storagecount (owner_id, sessions, characters, file_bytes) VALUES (%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Stored:
    """How many sessions a user has, the characters of their texts, and the bytes of their files."""

    sessions: int
    characters: int
    file_bytes: int = 0


def stored(user_id: int) -> Stored:
    """Return what a user stores."""
    return _sum(plain.rows(_COUNTS, [user_id]))


def admit_session(user_id: int) -> None:
    """Refuse another session where there is no room for one, or for a word in it. Raises TooMany.

    The caller holds the user's lock.
    """
    used, quota = _read(user_id), settings.HERMES_SESSIONS_PER_USER
    if used.sessions >= quota:
        raise TooMany(
            f"You have {used.sessions:,} chats, and {quota:,} are allowed. Delete chats that you no longer need.",
            quota="sessions",
            used=used.sessions,
            limit=quota,
        )
    _check_text(used, 1)


def admit_text(user_id: int, characters: int) -> None:
    """Refuse a text of this length for which there is no room. Raises TooMany. The caller holds the user's lock."""
    _check_text(_read(user_id), characters)


def admit_file(user_id: int, size: int) -> None:
    """Refuse a file of so many bytes, with what is made of it. Raises TooMany. The caller holds the user's lock."""
    used, quota = _read(user_id).file_bytes, settings.HERMES_FILE_QUOTA
    if used + size > quota:
        raise TooMany(
            f"Your files take {megabytes(used)} MB of the {megabytes(quota)} MB that you may keep, and this one would "
            f"take {megabytes(size)} MB. Delete chats with files that you no longer need.",
            quota="files",
            used=used,
            limit=quota,
        )


def megabytes(size: int) -> str:
    """Return bytes as megabytes for people: of a small size a tenth counts."""
    return f"{size / 1_000_000:,.1f}".removesuffix(".0")


def _check_text(used: Stored, more: int) -> None:
    quota = settings.HERMES_TEXT_QUOTA
    if used.characters + more > quota:
        raise TooMany(
            f"Your chats hold {used.characters:,} characters, and {quota:,} are allowed. "
            "Delete chats that you no longer need.",
            quota="text",
            used=used.characters,
            limit=quota,
        )


def _read(user_id: int) -> Stored:
    """Return what a user stores, and sum up the rows that say so where they are many."""
    rows = plain.rows(_COUNTS, [user_id])
    total = _sum(rows)
    if len(rows) > _ROWS:
        plain.each(_REMOVE, [(pk,) for pk, *_ in rows])
        plain.each(_ADD, [(user_id, total.sessions, total.characters, total.file_bytes)])
    return total


def _sum(rows: list[tuple[int, ...]]) -> Stored:
    return Stored(*(sum(row[column] for row in rows) for column in (1, 2, 3)))
