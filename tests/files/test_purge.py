"""`manage.py purge`: what nobody needs of files goes, and nothing else, whatever happens at the same time.

Thorough: the suite asks of a purge in tests/purging that it leaves no byte in the database, and of files in
tests/turns/test_files.py.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Database
from tests.extraction import samples
from tests.files.client import Files
from tests.files.conftest import objects
from tests.files.test_token_limits import say
from tests.live import LiveSite, manage
from tests.peers import peer

pytestmark = pytest.mark.thorough

OLD = "2020-01-01 00:00:00"
STRAY = f"999/{'0' * 31}1"


def purge(site: LiveSite, *options: str) -> list[int]:
    """How many of each kind were removed: files, uploads, contents, folders."""
    # The lines before are about chats, the last one about exports.
    lines = site.manage("purge", *options).splitlines()[-5:-1]
    begun = "Would remove " if "--dry-run" in options else "Removed "
    assert all(line.startswith(begun) for line in lines)
    return [int(line.removeprefix(begun).split()[0]) for line in lines]


def run(site: LiveSite, sql: str, *params: object) -> None:
    Database(site.database.url).run(sql, *params)


def grow_old(files: Files, shape: dict[str, Any]) -> None:
    key = shape["id"].replace("-", "")
    run(files.site, "UPDATE sessions_app_userfile SET created_at = %s WHERE id = %s", OLD, key)


def let_be_pending(files: Files, more: str = "") -> None:
    """Make the last content one whose process was killed before it was whole."""
    last = "(SELECT digest FROM sessions_app_filecontent ORDER BY id DESC LIMIT 1)"
    run(files.site, f"UPDATE sessions_app_filecontent SET state = 'pending'{more} WHERE digest IN {last}")


def test_what_nobody_needs_is_removed_and_nothing_else(files: Files, folder: Path) -> None:
    """What was never sent goes after a day, an upload that was broken off after an hour, and what has no row."""
    purge(files.site)
    kept, said = files.add(b"kept", "a.txt"), files.add(b"said")
    with peer(files.site, **files.headers) as client:
        say(client, said["id"])
    grow_old(files, said)
    files.add(samples.picture(size=(11, 11)))
    let_be_pending(files)
    stay = objects(folder)
    unsent = files.add(b"old")
    grow_old(files, unsent)
    files.add(samples.picture(size=(12, 12)))
    let_be_pending(files, f", created_at = '{OLD}'")
    stray, foreign = folder / STRAY / ("a" * 64), folder / "README" / "notes" / "of-mine.txt"
    for path in (stray, foreign):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"left")
    empty = folder / STRAY.replace("1", "2")
    empty.mkdir(parents=True)
    before = objects(folder)
    assert purge(files.site, "--dry-run") == [1, 1, 0, 2]
    assert (objects(folder), empty.exists()) == (before, True)
    assert purge(files.site) == [1, 1, 0, 2]
    assert (stray.parent.exists(), empty.exists(), foreign.exists()) == (False, False, True)
    foreign.unlink()
    assert objects(folder) == stay
    assert [files.get(each).status for each in (kept, said, unsent)] == [200, 200, 404]
    assert files.delete(said).status == 409
    assert purge(files.site) == [0, 0, 0, 0]
    assert objects(folder) == stay


def test_while_uploads_run_and_twice_at_once_none_is_taken(files: Files) -> None:
    with ThreadPoolExecutor(6) as pool:
        purges = [pool.submit(purge, files.site) for _ in range(2)]
        texts = [f"text {number} ".encode() * 1_000 for number in range(12)]
        shapes = list(pool.map(files.add, texts))
        assert all(len(each.result()) == 4 for each in purges)
    assert [files.get(shape).body for shape in shapes] == texts


def test_bytes_that_are_lost_are_told_and_nothing_is_removed(files: Files, folder: Path) -> None:
    before = objects(folder)
    shape = files.add(b"lost")
    [path] = objects(folder) - before
    (folder / path).unlink()
    assert "1 files are not in the store any more" in manage("purge", env=files.site.env).stderr
    assert files.get(shape).status == 404
    assert files.delete(shape).status == 204
