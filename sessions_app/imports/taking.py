"""Take in all that a file brings: chat by chat, each whole or not at all, and say what came of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import IO, Any, TypeVar
from uuid import UUID

from sessions_app import database
from sessions_app.errors import CommandError
from sessions_app.imports import sources, storing
from sessions_app.imports.chats import Chat, Unusable
from sessions_app.imports.files import ArchiveFiles, files_of
from sessions_app.imports.sources import Source
from sessions_app.imports.storing import Stored
from sessions_app.models import UserFile
from sessions_app.realtime.publishing import Publisher
from sessions_app.session_store import instructions, memory
from sessions_app.transfer.archive import MAX_LEFT_OUT, Progress

R = TypeVar("R")

Fence = Callable[[dict[str, int]], None]
"""Makes sure, within a transaction, that the job is still ours, and writes what was taken by then."""

_MAX_MEMORY = 1_000


class Taking:
    """One import: of a user's file, told by a publisher. ``before`` is what an earlier attempt has taken."""

    def __init__(
        self, user_id: int, publisher: Publisher, fence: Fence, progress: Progress, before: dict[str, int] | None
    ) -> None:
        self._user_id = user_id
        self._door = database.of(user_id)
        self._publisher = publisher
        self._fence = fence
        self._progress = progress
        self._taken = Counter(before or {})
        self._before = self._taken["sessions"]
        self._there = 0
        self._left_out: list[dict[str, str]] = []
        self._left_out_count = 0

    async def take(self, file: IO[bytes], size: int) -> dict[str, Any]:
        """Take in what a file brings, and return the report. Raises Unusable where it is nothing that can be read."""
        source = await asyncio.to_thread(sources.opened, file, size)
        await self._take_account(source)
        files = ArchiveFiles(source.archive, source.records)
        found = source.chats()
        while (chat := await asyncio.to_thread(next, found, None)) is not None:
            self._progress(source.progress)
            if isinstance(chat, Unusable):
                self._leave_out("session", chat.id, chat.why)
            else:
                await self._take_chat(chat, files)
        return self._report()

    async def _take_chat(self, chat: Chat, files: ArchiveFiles) -> None:
        if await self._door.read(storing.is_there, self._user_id, chat.id):
            self._there += 1
            return
        files.add(chat.files)
        wanted = [file_id for message in chat.document.messages for file_id in files_of(message.parts)]
        taken, refused = await files.take(self._user_id, wanted)
        for file_id, why in refused.items():
            self._leave_out("file", file_id, why)
        try:
            stored = await self._publisher.write(self._door, self._store, chat, taken)
        except CommandError as error:
            self._leave_out("session", chat.id, error.text)
            return
        if stored is None:
            self._there += 1
            return
        self._taken += Counter(sessions=1, messages=stored.messages, files=len(taken))
        for note in stored.notes:
            self._leave_out("part", chat.id, note)

    def _store(self, chat: Chat, files: dict[UUID, UserFile]) -> Stored | None:
        """Store one chat, in a transaction that may run again."""
        stored = storing.store(self._user_id, chat, files)
        counted = Counter(sessions=1, messages=stored.messages, files=len(files)) if stored else Counter[str]()
        self._fence(dict(self._taken + counted))
        return stored

    async def _take_account(self, source: Source) -> None:
        """Take over memories, and instructions where the user has none."""
        text = source.account.get("instructions")
        if isinstance(text, str) and 0 < len(text) <= instructions.LONGEST and "\0" not in text:
            await self._door.write(_add_instructions, self._user_id, text)
        told = source.account.get("memory")
        rows = told.get("memories") if isinstance(told, dict) else None
        for row in rows[:_MAX_MEMORY] if isinstance(rows, list) else []:
            memorised = row.get("text") if isinstance(row, dict) else None
            if isinstance(memorised, str) and memorised.strip() and "\0" not in memorised:
                await self._remember(memorised)

    async def _remember(self, text: str) -> None:
        try:
            await self._publisher.write(self._door, partial(memory.add, self._user_id, text))
        except CommandError as error:
            self._leave_out("memory", "", error.text)

    def _leave_out(self, kind: str, id_: object, why: str) -> None:
        self._left_out_count += 1
        if len(self._left_out) < MAX_LEFT_OUT:
            self._left_out.append({"kind": kind, "id": str(id_)[:200], "why": why})

    def _report(self) -> dict[str, Any]:
        counts = {name: self._taken[name] for name in ("sessions", "messages", "files")}
        # What an earlier attempt has taken is there by now.
        there = max(0, self._there - self._before)
        return {**counts, "there": there, "left_out": self._left_out, "left_out_count": self._left_out_count}


def _add_instructions(user_id: int, text: str) -> None:
    if not instructions.read(user_id):
        instructions.write(user_id, text)
