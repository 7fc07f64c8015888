"""What the messages of others cost a search: `python -m bench search`.

Two databases with the same user and 20 messages; in one of them others have written many more. A child process for
each (`python -m bench.search OTHERS`) fills its own, and then does what each line on its standard input asks for:
one search, of the user or of who has written all the others. The searches of both alternate, so whatever else the
machine is doing hits both.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.child import Child, milliseconds_each
from bench.report import Figure, Section
from bench.timing import median
from tests import databases
from tests.databases import Database

MINE, WORDS, BATCH = 20, 12, 5_000
QUERIES = {
    "a common word": "common",
    "a common phrase": "the common word",
    "two letters": "mm",
    "an absent word": "qzx",
}


def compared(others: int, rounds: int, folder: Path) -> list[Section]:
    """A section for each database."""
    (folder / "alone").mkdir()
    sections = [_section("SQLite", databases.sqlite(folder / "alone"), databases.sqlite(folder), others, rounds)]
    alone, among = databases.postgresql(), databases.postgresql()
    try:
        return [*sections, _section("PostgreSQL", alone, among, others, rounds)]
    finally:
        databases.drop(alone)
        databases.drop(among)


def _section(name: str, alone: Database, among: Database, others: int, rounds: int) -> Section:
    with ExitStack() as ending:
        one, two = (ending.enter_context(Child("bench.search", *what)) for what in ((alone, 0), (among, others)))
        figures = [
            Figure(
                "write a message, indexed later",
                f"{two.filled['write']:.2f} ms",
                "",
                f"index it: {two.filled['index']:.2f} ms, of {WORDS} words",
            )
        ]
        for title, query in QUERIES.items():
            took = [(one.ask(f"owner {query}"), two.ask(f"owner {query}")) for _ in range(rounds)]
            least, mine = (median(column) for column in zip(*took, strict=True))
            figures.append(Figure(title, f"{mine / least:.2f} times", "1", f"{mine:.2f} ms; alone {least:.2f} ms"))
        for title, query in QUERIES.items():
            much = median([two.ask(f"other {query}") for _ in range(rounds)])
            figures.append(Figure(f"{title}, of all that they wrote", f"{much:.2f} ms", "", f"{others:,} of one's own"))
    return Section(f"Search, {name}: {MINE} messages among {others:,} of others", figures)


def _serve(others: int, questions: Iterable[str]) -> None:
    from django.core.management import call_command
    from django.db import transaction

    from sessions_app.conversations.search import index, search

    def catch_up() -> None:
        while index.waiting():
            with transaction.atomic():
                index.catch_up()

    call_command("migrate", interactive=False, verbosity=0)
    users = {"owner": _write("owner", MINE)}
    catch_up()
    filled = {
        "write": milliseconds_each(others, lambda: users.update(other=_write("other", others))),
        "index": milliseconds_each(others, catch_up),
    }
    print(json.dumps(filled), flush=True)
    for question in questions:
        user, _, query = question.rstrip("\n").partition(" ")
        with transaction.atomic():
            print(milliseconds_each(1, partial(search, users[user], query, 30)), flush=True)


def _write(name: str, count: int) -> int:
    """Give a new user so many messages, most of them with the common words, and return the user's id."""
    from django.contrib.auth.models import User
    from django.db import transaction

    from sessions_app.models import ChatSession, Message
    from sessions_app.session_store import chats

    chance = random.Random(name)
    words = ["".join(chance.choices("etaoinshrdlcumwfgypbvk", k=chance.randint(2, 9))) for _ in range(5_000)]
    with transaction.atomic():
        owner_id = User.objects.create(username=name, password="!").pk
        chat_session = ChatSession.objects.get(pk=chats.create(owner_id, name).id)
    for start in range(0, count, BATCH):
        Message.objects.bulk_create(
            Message(
                owner_id=owner_id,
                chat_session=chat_session,
                branch_id=chat_session.active_branch_id,
                position=position,
                role="user",
                text=" ".join([*chance.choices(words, k=WORDS), "the common word" if position % 3 else "summer"]),
            )
            for position in range(start, min(start + BATCH, count))
        )
    return owner_id


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hermes_site.settings")
    import django

    django.setup()
    _serve(int(sys.argv[1]), sys.stdin)
