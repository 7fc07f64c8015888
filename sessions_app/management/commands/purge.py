"""`manage.py purge [--dry-run] [--force]`: delete what is due and what nobody needs, and say how much that was."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sessions_app import database, journal
from sessions_app.files.purging import PurgedFiles, purge_files
from sessions_app.jobs import clearing, rows
from sessions_app.purging import policies, requests, runs
from sessions_app.purging.purge import Purge, too_long, too_much
from sessions_app.turn_store.heartbeat import silence_of

_Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Purged:
    """What is printed: counts by kind, and why the policies were not applied."""

    lines: list[_Line]
    files: PurgedFiles
    refusal: str


class Command(BaseCommand):
    help = (
        "Apply the retention policies and what users have asked to delete; remove files that nobody refers to, what is "
        "left in the store, and old exports. Safe at any time, and twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be removed.")
        parser.add_argument(
            "--force",
            action="store_true",
            help="Apply the policies also where they delete much, or after a long pause.",
        )

    def handle(self, *args: Any, dry_run: bool, force: bool, **options: Any) -> None:
        try:
            purged = asyncio.run(_purge(dry_run=dry_run, force=force))
        except (OSError, BotoCoreError, ClientError) as error:
            told = f"The store of files does not answer ({error}). What was removed is removed; run it again."
            raise CommandError(told) from error
        begun = "Would remove" if dry_run else "Removed"
        for count, kind in purged.lines:
            self.stdout.write(f"{begun} {count:,} {kind}")
        if purged.files.lost:
            self.stderr.write(
                f"{purged.files.lost:,} files are not in the store any more: turns of their chats say so."
            )
        if purged.refusal and dry_run:
            self.stderr.write(purged.refusal)
        elif purged.refusal:
            raise CommandError(purged.refusal)


async def _purge(*, dry_run: bool, force: bool) -> _Purged:
    """Remove jobs and chats first: what they leave in the store is none of a file's."""
    jobs = await (database.read(rows.expired) if dry_run else clearing.clear())
    due, refusal = await (_due(force) if dry_run else _delete(force))
    files = await purge_files(dry_run=dry_run)
    return _Purged([*due, *_told(files), (jobs, "exports that are older than a day")], files, refusal)


async def _delete(force: bool) -> tuple[list[_Line], str]:
    run = await database.write(runs.begin_now)
    done = await Purge(_recorded, run, silence_of(settings.HERMES_TURN_LEASE)).carry_out(force=force)
    lines = [*_lines(done.chats, done.messages, done.accounts), (done.files, "files of theirs")]
    return lines, done.refusal


async def _recorded(work: Any, *args: Any) -> Any:
    """Carry out a transaction; the processes that serve find its facts within a second."""
    return (await database.write(journal.recorded, work, *args)).result


async def _due(force: bool) -> tuple[list[_Line], str]:
    asked, found = await database.read(requests.asked), await database.read(policies.survey)
    pause = await database.read(runs.pause_before)
    refusal = "" if force else too_long(pause) or too_much(found)
    chats, messages = found.chats + asked.chats, found.messages + asked.messages
    return _lines(chats, messages, asked.accounts), refusal


def _lines(chats: int, messages: int, accounts: int) -> list[_Line]:
    return [
        (accounts, "accounts whose users have asked"),
        (chats, "chats, by the policies and because their users have asked"),
        (messages, "messages of theirs"),
    ]


def _told(files: PurgedFiles) -> list[_Line]:
    """Return the lines about files, one for each kind."""
    return [
        (files.files, "files that no message has"),
        (files.uploads, "uploads that broke off"),
        (files.contents, "contents that were given up"),
        (files.strays, "folders in the store that belong to no file"),
    ]
