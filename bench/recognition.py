"""What it costs to find the session that holds what a program has sent: `python -m bench recognition`.

Databases with ever more sessions of one user, all of which begin with the same words. The searches in them alternate.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.child import Child, milliseconds_each
from bench.report import Figure, Section
from bench.timing import median
from tests import databases

BATCH = 500
TURNS = 20
"""Of the conversation that is looked for; the others have one turn."""
QUESTIONS = {
    "one that goes on": "known",
    "one that was edited in the middle": "edited",
    "one that is not there": "new",
}


def compared(sizes: Iterable[int], rounds: int, folder: Path) -> list[Section]:
    """Return the milliseconds of each search, by the number of sessions, on each database."""
    known = list(sizes)
    servers = [databases.postgresql() for _ in known]
    try:
        return [
            _section("SQLite", [databases.sqlite(_made(folder / str(size))) for size in known], known, rounds),
            _section("PostgreSQL", servers, known, rounds),
        ]
    finally:
        for server in servers:
            databases.drop(server)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _section(name: str, stores: Iterable[databases.Database], sizes: list[int], rounds: int) -> Section:
    with ExitStack() as ending:
        children = [
            ending.enter_context(Child("bench.recognition", store, size))
            for store, size in zip(stores, sizes, strict=True)
        ]
        figures = []
        for title, question in QUESTIONS.items():
            took = zip(*([child.ask(question) for child in children] for _ in range(rounds)), strict=True)
            least, *more = map(median, took)
            ratios = " / ".join(f"{one / least:.2f}" for one in more)
            shown = " / ".join(f"{one:.2f}" for one in (least, *more))
            figures.append(Figure(title, f"{ratios} times", "1", f"{shown} ms"))
    shown = " / ".join(f"{size:,}" for size in sizes)
    return Section(f"Finding a conversation of {TURNS} turns, {name}: {shown} sessions", figures)


def _serve(size: int, questions: Iterable[str]) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import transaction

    from sessions_app.conversations.line_digests import Said
    from sessions_app.models import AgentProfile
    from sessions_app.turn_store.recognising import Heard, find

    call_command("migrate", interactive=False, verbosity=0)
    with transaction.atomic():
        owner_id = User.objects.create(username="owner", password="!").pk
        profile_id = AgentProfile.default().pk
    whole = [text for number in range(TURNS) for text in (f"Question {number}", f"Answer {number}")]
    _store(owner_id, size - 1, whole[:2])
    _store(owner_id, 1, whole)
    print(json.dumps({}), flush=True)
    sent = {
        "known": whole,
        "edited": [*whole[:TURNS], "Something else", "So be it."],
        "new": ["Hello", "Hello to you."],
    }
    for question in questions:
        said = tuple(Said(role, text) for role, text in _spoken([*sent[question.strip()], "And then?"]))
        with transaction.atomic():
            print(milliseconds_each(1, partial(find, owner_id, Heard(profile_id, None, said))), flush=True)


def _spoken(texts: Sequence[str]) -> list[tuple[str, str]]:
    return [("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]


def _store(owner_id: int, count: int, texts: Sequence[str]) -> None:
    """Give the user so many sessions in which this was said."""
    from django.db import transaction

    from sessions_app.conversations.line_digests import Said, digests_of
    from sessions_app.models import AgentProfile, Message
    from sessions_app.session_store.inserting import insert_session

    profile = AgentProfile.objects.get()
    said = [Said(role, text) for role, text in _spoken(texts)]
    digests = digests_of("", said)
    for start in range(0, count, BATCH):
        with transaction.atomic():
            Message.objects.bulk_create(
                Message(
                    owner_id=owner_id,
                    chat_session=chat_session,
                    branch_id=chat_session.active_branch_id,
                    position=position,
                    role=each.role,
                    text=each.text,
                    line_digest=digest,
                )
                for chat_session in [
                    insert_session(owner_id, profile=profile) for _ in range(start, min(start + BATCH, count))
                ]
                for position, (each, digest) in enumerate(zip(said, digests, strict=True))
            )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hermes_site.settings")
    import django

    django.setup()
    _serve(int(sys.argv[1]), sys.stdin)
