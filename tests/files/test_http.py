"""Files over HTTP: added, given back so that no browser takes them for pages, removed; nobody else's."""

from __future__ import annotations

import hashlib
import re
import stat
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.extraction import samples
from tests.files.client import FORM, Files, chunked, form
from tests.files.conftest import objects
from tests.live import LiveSite
from tests.peers import Browser, peer, token

TEXT = "Grüße aus dem Anhang".encode()


def test_a_text_is_kept_byte_for_byte(files: Files) -> None:
    shape = files.add(TEXT, "notes.md")
    assert shape == {
        "id": shape["id"],
        "name": "notes.md",
        "media_type": "text/markdown",
        "size": len(TEXT),
        "text_characters": 20,
        "url": f"/api/files/{shape['id']}",
    }
    assert files.get(shape).body == TEXT


def test_a_picture_is_told_with_its_size(files: Files) -> None:
    shape = files.add(samples.picture("WEBP"), "holiday.webp")
    assert (shape["media_type"], shape["width"], shape["height"]) == ("image/jpeg", 40, 20)
    assert shape["name"] == "holiday.jpg"
    kept = files.get(shape)
    assert (kept.body[:3], len(kept.body)) == (b"\xff\xd8\xff", shape["size"])
    small = files.get(shape, "?thumbnail")
    assert (small.body[8:12], small.headers["Content-Type"]) == (b"WEBP", "image/webp")


@pytest.mark.parametrize(
    ("content", "name", "shown", "media_type"),
    [
        (samples.picture(), "a.png", "inline", "image/png"),
        (
            samples.pdf("Some words that are on this page, and a few more of them. " * 3),
            "a.pdf",
            "attachment",
            "application/pdf",
        ),
        (b"<script>alert(1)</script>", "a.html", "attachment", "application/octet-stream"),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
            "a.svg",
            "attachment",
            "application/octet-stream",
        ),
    ],
)
def test_no_browser_takes_a_file_for_a_page(
    files: Files, content: bytes, name: str, shown: str, media_type: str
) -> None:
    answer = files.get(files.add(content, name))
    assert answer.headers["Content-Disposition"].startswith(f"{shown}; ")
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"].startswith("private")


def test_someone_elses_file_is_like_one_that_is_not_there(files: Files, stranger: Files) -> None:
    shape = files.add(TEXT)
    missing = {**shape, "url": f"/api/files/{uuid.uuid4()}"}
    no_id = {**shape, "url": "/api/files/none"}
    for ask in (stranger.get, stranger.delete):
        told = {(ask(each).status, ask(each).body) for each in (shape, missing, no_id)}
        assert len(told) == 1
        assert told.pop()[0] == 404
    assert files.get(shape).body == TEXT


def test_without_a_login_there_is_nothing(files: Files, site: LiveSite) -> None:
    shape = files.add(TEXT)
    nobody = Files(site, "nobody", Accept="*/*")
    assert [nobody.get(shape).status, nobody.post(TEXT).status, nobody.delete(shape).status] == [401] * 3


def test_a_page_adds_files_by_its_login_and_csrf_token(site: LiveSite, newcomer: str) -> None:
    name = f"page{newcomer}"
    site.database.add_user(name)
    browser = Browser(site)
    browser.log_in(name)
    cookie = "; ".join(f"{key}={value}" for key, value in browser.cookies.items())
    csrf = browser.cookies["csrftoken"]
    files = Files(site, name, Cookie=cookie)
    assert files.post(TEXT).status == 403
    assert files.post(TEXT, X_CSRFToken="0" * len(csrf)).status == 403
    added = files.post(TEXT, X_CSRFToken=csrf)
    assert added.status == 201
    assert files.get(added.json).body == TEXT
    assert files.delete(added.json).status == 403


def test_a_file_that_no_message_has_can_be_removed(files: Files, folder: Path) -> None:
    before = objects(folder)
    shape = files.add(TEXT)
    assert len(objects(folder) - before) == 1
    assert files.delete(shape).status == 204
    assert objects(folder) == before
    assert [files.get(shape).status, files.delete(shape).status] == [404, 404]


def test_objects_are_named_by_their_digests_and_private(files: Files, folder: Path) -> None:
    before = objects(folder)
    files.add(samples.picture())
    new = objects(folder) - before
    assert len(new) == 2
    for name in new:
        path = folder / name
        assert path.name == hashlib.sha256(path.read_bytes()).hexdigest()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def usage(files: Files) -> int:
    with peer(files.site, **token(files.site, files.user)) as socket:
        taken: int = socket.call("account.usage")["result"]["files"]["bytes"]
    return taken


def test_the_same_file_twice_takes_its_room_once(files: Files, folder: Path) -> None:
    first = files.add(TEXT, "one.txt")
    before, taken = objects(folder), usage(files)
    second = files.add(TEXT, "two.txt")
    assert (objects(folder), usage(files)) == (before, taken)
    assert (second["name"], second["id"] != first["id"]) == ("two.txt", True)
    assert files.delete(first).status == 204
    assert files.get(second).body == TEXT
    assert files.delete(second).status == 204
    assert usage(files) == 0


def test_the_same_file_many_times_at_once_is_kept_once(files: Files, folder: Path) -> None:
    before = objects(folder)
    with ThreadPoolExecutor(6) as pool:
        shapes = list(pool.map(lambda number: files.add(TEXT, f"{number}.txt"), range(6)))
    assert len({shape["id"] for shape in shapes}) == 6
    assert len(objects(folder) - before) == 1
    assert usage(files) == 2 * len(TEXT)
    for shape in shapes:
        assert files.delete(shape).status == 204
    assert (objects(folder), usage(files)) == (before, 0)


def test_two_users_with_the_same_file_have_each_their_own(files: Files, stranger: Files, folder: Path) -> None:
    before = objects(folder)
    mine, theirs = files.add(TEXT), stranger.add(TEXT)
    assert len(objects(folder) - before) == 2
    assert files.delete(mine).status == 204
    assert stranger.get(theirs).body == TEXT


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\Users\\\\me\\\\plan.txt", "plan.txt"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("a\u0000b.txt", "ab.txt"),
        ("x" * 600 + ".txt", "x" * 251 + ".txt"),
        ("  spaces   within .txt", "spaces within .txt"),
        ("Grüße 🎈.md", "Grüße 🎈.md"),
    ],
)
def test_a_name_is_kept_without_what_deceives(files: Files, name: str, kept: str) -> None:
    shape = files.add(TEXT, name)
    assert shape["name"] == kept
    disposition = files.get(shape).headers["Content-Disposition"]
    found = re.search(r"filename\*=UTF-8''(\S+)$", disposition)
    assert found
    assert unquote(found[1]) == kept


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(TEXT), "text/plain"),
        (form(TEXT), "multipart/form-data"),
        (form(TEXT, field="other"), FORM),
        (form(TEXT)[:-10], FORM),
        (form(TEXT, "x" * 5000), FORM),
        (form(TEXT, ""), FORM),
        (b"", FORM),
        (b"--", FORM),
    ],
)
def test_what_is_no_form_with_a_file_is_refused(files: Files, body: bytes, kind: str) -> None:
    answer = files.ask("POST", "/api/files/", body, Content_Type=kind)
    assert (answer.status, "file" in answer.error) == (400, True)
    assert usage(files) == 0


def test_another_kind_of_file_is_refused_with_what_is_taken(files: Files) -> None:
    answer = files.post(b"\x7fELF" + bytes(100), "program")
    assert answer.status == 415
    assert "PDF" in answer.error


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (samples.encrypted_pdf, "password"),
        (lambda: samples.picture("JPEG", (300, 300))[:600], "damaged"),
        (samples.wide_png, "pixels"),
        (lambda: samples.word_bomb(301), "unpacks"),
        (lambda: b" ", "empty"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    files: Files, folder: Path, made: Callable[[], bytes], word: str
) -> None:
    before = objects(folder)
    answer = files.post(made(), "x.pdf")
    assert (answer.status, word in answer.error) == (415, True)
    assert (objects(folder), usage(files)) == (before, 0)


def test_a_file_over_the_bound_is_refused_with_the_bound(files: Files) -> None:
    for content in (b"x" * 2_000_001, b"x" * 3_000_000):
        answer = files.post(content)
        assert (answer.status, answer.error) == (413, "A file may have at most 2 MB.")
    assert files.post(b"x" * 2_000_000).status == 201


def test_a_chunked_file_over_the_bound_is_cut_off(files: Files, folder: Path) -> None:
    before = objects(folder)
    body = chunked(form(b"x" * 3_000_000))
    assert files.ask("POST", "/api/files/", body, Content_Type=FORM, Transfer_Encoding="chunked").status == 413
    assert objects(folder) == before


def test_a_file_in_chunks_is_taken(files: Files) -> None:
    body = chunked(form(b"word " * 100_000))
    answer = files.ask("POST", "/api/files/", body, Content_Type=FORM, Transfer_Encoding="chunked")
    assert answer.status == 201
    assert len(files.get(answer.json).body) == 500_000


def test_at_the_quota_no_more_is_kept(files: Files, folder: Path) -> None:
    kept = [files.add(bytes([65 + number]) * 1_200_000) for number in range(2)]
    before = objects(folder)
    answer = files.post(b"z" * 1_200_000)
    assert (answer.status, "5 MB" in answer.error) == (507, True)
    assert objects(folder) == before
    assert files.delete(kept[0]).status == 204
    assert files.post(b"z" * 1_200_000).status == 201


def test_at_once_no_more_is_kept_than_the_quota(files: Files) -> None:
    with ThreadPoolExecutor(5) as pool:
        statuses = list(pool.map(lambda number: files.post(bytes([65 + number]) * 1_200_000).status, range(5)))
    assert sorted(statuses) == [201, 201, 507, 507, 507]
    assert usage(files) <= 5_000_000


def test_an_upload_that_breaks_off_leaves_nothing(files: Files, folder: Path) -> None:
    body, before = form(b"words " * 50_000), objects(folder)
    for tenth in range(10):
        with files.begin(len(body)) as connection:
            connection.sendall(body[: len(body) * tenth // 10])
    assert files.add(TEXT)
    assert len(objects(folder) - before) == 1
    assert usage(files) == 2 * len(TEXT)
