"""`manage.py purge [--dry-run]`: remove what nobody needs any more, and say how much of what that was."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError

from sessions_app import database
from sessions_app.files.purging import PurgedFiles, purge_files
from sessions_app.jobs import clearing, rows


class Command(BaseCommand):
    help = (
        "Remove files that nobody refers to, what is left in the store, and old exports. Safe at any time, and twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be removed.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            files, jobs = asyncio.run(_purge(dry_run=dry_run))
        except (OSError, BotoCoreError, ClientError) as error:
            told = f"The store of files does not answer ({error}). What was removed is removed; run it again."
            raise CommandError(told) from error
        begun = "Would remove" if dry_run else "Removed"
        for count, kind in [*_told(files), (jobs, "exports that are older than a day")]:
            self.stdout.write(f"{begun} {count:,} {kind}")
        if files.lost:
            self.stderr.write(f"{files.lost:,} files are not in the store any more: turns of their chats say so.")


async def _purge(*, dry_run: bool) -> tuple[PurgedFiles, int]:
    """Remove jobs first: what they leave in the store is none of a file's."""
    jobs = await (database.read(rows.expired) if dry_run else clearing.clear())
    return await purge_files(dry_run=dry_run), jobs


def _told(files: PurgedFiles) -> list[tuple[int, str]]:
    """Return the lines that are printed, one for each kind."""
    return [
        (files.files, "files that no message has"),
        (files.uploads, "uploads that broke off"),
        (files.contents, "contents that were given up"),
        (files.strays, "folders in the store that belong to no file"),
    ]
