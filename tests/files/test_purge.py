"""`manage.py purge`: what nobody needs of files goes, and nothing else, whatever happens at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.databases import Database
from tests.extraction import samples
from tests.files.client import Files
from tests.files.conftest import objects
from tests.files.test_token_limits import say
from tests.live import LiveSite, manage
from tests.peers import peer

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


def test_where_nobody_has_left_anything_nothing_is_removed(files: Files, folder: Path) -> None:
    shape = files.add(b"kept", "a.txt")
    purge(files.site)
    before = objects(folder)
    assert purge(files.site) == [0, 0, 0, 0]
    assert objects(folder) == before
    assert files.get(shape).body == b"kept"


def test_what_lies_in_the_store_without_a_row_is_removed(files: Files, folder: Path) -> None:
    files.add(b"one that is there")
    purge(files.site)
    before = objects(folder)
    stray, foreign = folder / STRAY / ("a" * 64), folder / "README" / "notes" / "of-mine.txt"
    for path in (stray, foreign):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"left")
    empty = folder / STRAY.replace("1", "2")
    empty.mkdir(parents=True)
    assert purge(files.site, "--dry-run") == [0, 0, 0, 2]
    assert stray.exists()
    assert purge(files.site) == [0, 0, 0, 2]
    assert (stray.parent.exists(), empty.exists(), foreign.exists()) == (False, False, True)
    assert purge(files.site) == [0, 0, 0, 0]
    foreign.unlink()
    assert objects(folder) == before


def test_files_that_were_never_sent_are_removed_after_a_day(files: Files, folder: Path) -> None:
    before = objects(folder)
    old, new = files.add(b"old"), files.add(b"new")
    run(files.site, "UPDATE sessions_app_userfile SET created_at = %s WHERE id = %s", OLD, old["id"].replace("-", ""))
    assert purge(files.site, "--dry-run") == [1, 0, 0, 0]
    assert purge(files.site) == [1, 0, 0, 0]
    assert (files.get(old).status, files.get(new).status) == (404, 200)
    assert len(objects(folder) - before) == 1


def test_what_a_killed_process_has_left_is_removed_after_an_hour(files: Files, folder: Path) -> None:
    before = objects(folder)
    files.add(samples.picture())
    pending = "UPDATE sessions_app_filecontent SET state = 'pending'{} WHERE digest IN "
    mine = "(SELECT digest FROM sessions_app_filecontent ORDER BY id DESC LIMIT 1)"
    run(files.site, pending.format("") + mine)
    assert purge(files.site)[1] == 0
    run(files.site, pending.format(f", created_at = '{OLD}'") + mine)
    assert purge(files.site, "--dry-run")[1] == 1
    assert purge(files.site)[1] == 1
    assert objects(folder) == before


def test_a_file_of_a_message_stays_however_old_it_is(files: Files) -> None:
    shape = files.add(b"said")
    with peer(files.site, **files.headers) as client:
        say(client, shape["id"])
    run(files.site, "UPDATE sessions_app_userfile SET created_at = %s WHERE id = %s", OLD, shape["id"].replace("-", ""))
    assert purge(files.site)[0] == 0
    assert files.get(shape).body == b"said"
    assert files.delete(shape).status == 409


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
