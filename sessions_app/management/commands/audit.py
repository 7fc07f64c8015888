"""`manage.py audit verify|export|head`: check the audit, take it along, or say how long it is."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind, telling, verifying
from sessions_app.audit.verifying import Head
from sessions_app.database.hops import snapshot
from sessions_app.models import AuditEntry, AuditHead


def _head(text: str) -> Head:
    count, _, digest = text.partition(":")
    if not count.isdecimal() or len(digest) != 64:
        raise ArgumentTypeError("Give COUNT:DIGEST, as the log and the command `audit head` say them.")
    return Head(int(count), digest)


class Command(BaseCommand):
    help = "Check the audit's chain, write its rows as JSON lines, or print its head."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True)
        checks = commands.add_parser("verify", help="Find rows that were changed, removed, put in or cut off.")
        checks.add_argument(
            "--head",
            action="append",
            type=_head,
            default=[],
            metavar="COUNT:DIGEST",
            help="A head from the log, which the rows must still lead to; may be repeated.",
        )
        takes = commands.add_parser("export", help="Print rows, oldest first, a line of JSON each.")
        takes.add_argument("--after", type=int, default=0, metavar="NUMBER", help="Only rows after this one.")
        commands.add_parser("head", help="Print COUNT:DIGEST, to be kept elsewhere.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        {"verify": self._verify, "export": self._export, "head": self._print_head}[what](options)

    def _verify(self, options: dict[str, Any]) -> None:
        with snapshot():
            verified = verifying.verify(options["head"])
        for problem in verified.problems:
            self.stderr.write(problem)
        if verified.problems:
            raise CommandError("Somebody has changed the audit. An export, a backup or the log may say what it was.")
        self.stdout.write(f"{verified.head.count:,} rows, as they were written. {_told(verified.head)}")

    def _export(self, options: dict[str, Any]) -> None:
        audit.record(Action.AUDIT_EXPORTED, Object(ObjectKind.AUDIT))
        for line in telling.lines(AuditEntry.objects.filter(number__gt=options["after"])):
            self.stdout.write(line)

    def _print_head(self, options: dict[str, Any]) -> None:
        head = AuditHead.objects.get()
        self.stdout.write(_told(Head(head.count, head.digest)))


def _told(head: Head) -> str:
    return f"{head.count}:{head.digest}"
