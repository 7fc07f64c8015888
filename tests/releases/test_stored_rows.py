"""What earlier releases have stored is read as it is, and makes the bytes that they sent.

The files of a release are made by `python -m tests.releases.make NAME`, while its code is the code that is checked
out: a database in which real turns were stored, and what that code made of it (see the package). Each new stored form
of a row gets files of its own; those of earlier releases stay, as long as their rows may be stored somewhere.

Thorough: the suite asks what rows of today make (tests/guard/test_bytes.py).
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.llm.talking import WIRES
from tests.releases.make import FOLDER, run

pytestmark = pytest.mark.thorough

RELEASES = sorted(file.name.removesuffix(".sqlite3.gz") for file in FOLDER.glob("*.sqlite3.gz"))


@cache
def expected(release: str) -> dict[str, Any]:
    """What the release made of its rows, by session."""
    made: dict[str, Any] = json.loads((FOLDER / f"{release}.json").read_text())
    return made


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def made(release: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What this code makes of a copy of the release's database, after its migrations."""
    database: Path = tmp_path_factory.mktemp("release") / "site.sqlite3"
    database.write_bytes(gzip.decompress((FOLDER / f"{release}.sqlite3.gz").read_bytes()))
    found: dict[str, Any] = json.loads(run("tests.releases.measure", database=database))
    return found


@pytest.mark.parametrize("wire", WIRES)
def test_rows_of_a_release_make_the_bytes_it_sent(release: str, made: dict[str, Any], wire: str) -> None:
    sent = {session: untimed(of["requests"][wire]) for session, of in expected(release).items()}
    assert len(sent) == len(WIRES)
    assert {session: untimed(of["requests"][wire]) for session, of in made.items()} == sent


def test_a_turn_after_the_migration_sends_the_same_bytes(release: str, made: dict[str, Any]) -> None:
    assert {session: untimed(of["turn"]) for session, of in made.items()} == {
        session: untimed(of["turn"]) for session, of in expected(release).items()
    }


def untimed(request: str) -> str:
    """A request without for how long Anthropic keeps what: that is no part of what it reads, and may be chosen anew."""
    return re.sub(r'"ttl":"(5m|1h)"', '"ttl":""', request)


def test_session_open_shows_the_same_of_stored_rows(release: str, made: dict[str, Any]) -> None:
    for session, of in expected(release).items():
        now = made[session]["open"]
        for message, then in zip(now["messages"], of["open"]["messages"], strict=True):
            assert shown(message, then) == then | {"ledger": None}
        # After a migration each session counts as changed.
        then = of["open"]["session"] | {"revision": now["session"]["revision"]}
        assert shown(now["session"], then) == then


def shown(now: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a row, as far as that release showed it. (A message's ledger is its turn's.)"""
    return {name: value for name, value in now.items() if name in then} | ({"ledger": None} if "role" in then else {})
