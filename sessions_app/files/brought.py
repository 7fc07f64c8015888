"""Files that a program has sent in a conversation, found among those that its user has: by the SHA-256 of their bytes.

A program sends the whole conversation each time, with the bytes of all its files. What is stored of it already is known
by their digests; of what is new the files are looked for here, in the transaction that stores it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from sessions_app.conversations import attachments, features
from sessions_app.conversations.line_digests import Said, SaidFile
from sessions_app.errors import NotFound
from sessions_app.files.keeping import kept_name
from sessions_app.llm.content.parts import Parts
from sessions_app.models import ContentState, Feature, FileContent, UserFile

R = TypeVar("R")
Keep = Callable[[Collection[SaidFile]], Awaitable[None]]
"""Adds files of which the program has sent the bytes."""


class NotKept(Exception):  # an outcome, not a fault
    """Of these ``files`` the user has none with the same bytes: they are to be added first."""

    def __init__(self, files: Collection[SaidFile]) -> None:
        super().__init__()
        self.files = files


async def keep_none(_: Collection[SaidFile]) -> None:
    """What is done where no bytes have come. Raises NotFound."""
    raise NotFound


async def kept_first(ask: Callable[[], Awaitable[R]], keep: Keep) -> R:
    """Ask for what may raise NotKept, and where it does, once more when those files are kept."""
    try:
        return await ask()
    except NotKept as missing:
        await keep(missing.files)
    return await ask()


class Brought:
    """The files of things said, which a user has; each message's in their order, each once."""

    def __init__(self, user_id: int, said: Iterable[Said]) -> None:
        """Find them, and give those new names that are sent under another. Under the user's lock.

        Raises Forbidden, NotKept.
        """
        sent = [file for each in said for file in each.files]
        if sent:
            features.require(user_id, Feature.FILES)
        self._files = _found(user_id, sent) if sent else {}

    def of(self, said: Said) -> list[UserFile]:
        """Return the files of one of the things said."""
        rows = [self._files[file.digest, file.name] for file in said.files]
        return list({row.pk: row for row in rows}.values())

    def parts(self, said: Said) -> Parts:
        """Return the parts that its message has for them."""
        return attachments.parts_of(self.of(said))


def _found(user_id: int, sent: Sequence[SaidFile]) -> dict[tuple[str, str], UserFile]:
    digests = {file.digest for file in sent}
    ready = FileContent.objects.filter(owner_id=user_id, state=ContentState.READY, digest__in=digests)
    contents = {content.digest: content for content in ready}
    if missing := {file.digest: file for file in sent if file.digest not in contents}:
        raise NotKept(missing.values())
    rows = {(row.content_id, row.name): row for row in attachments.with_contents(user_id, contents.values())}
    found: dict[tuple[str, str], UserFile] = {}
    for file in sent:
        content = contents[file.digest]
        name = kept_name(content, file.name)
        if (row := rows.get((content.pk, name))) is None:
            row = rows[content.pk, name] = UserFile(owner_id=user_id, content=content, name=name)
            row.save(force_insert=True)
        found[file.digest, file.name] = row
    return found


def files_of(user_id: int, file_ids: Sequence[UUID]) -> list[SaidFile]:
    """Return files that the user has, as they are said, in this order. Raises NotFound."""
    return [SaidFile(row.content.digest, row.name) for row in attachments.find(user_id, file_ids)]
