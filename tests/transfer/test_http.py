"""Exports and imports over HTTP, from a real site: for their user alone, in parts, after the death of a process."""

from __future__ import annotations

import io
import itertools
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.files.client import FORM, Answer, Files, chunked, form
from tests.live import LiveSite
from tests.peers import Browser, peer
from tests.processes import PATIENCE

_numbers = itertools.count(1)
# What the demo model answers in a few words; each of them takes it a moment.
SAID = "calculate 6 * 7"


@pytest.fixture
def mine(lasting_site: LiveSite, newcomer: str) -> Files:
    """Requests of a user whom no other test knows."""
    return Files(lasting_site, newcomer)


@pytest.fixture
def theirs(lasting_site: LiveSite) -> Files:
    """Requests of another user."""
    name = f"stranger{next(_numbers)}"
    lasting_site.database.add_user(name)
    return Files(lasting_site, name)


def say(client: Files, text: str) -> str:
    """Say something in a new chat, and return its id when it is answered."""
    with peer(client.site, **client.headers) as connection:
        session_id: str = connection.call("session.create", title="A trip")["result"]["session"]["id"]
        connection.call("session.open", session_id=session_id)
        connection.call("turn.start", session_id=session_id, text=text)
        connection.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
    return session_id


def recorded(client: Files, name: str) -> list[str]:
    """What the audit says was done with a chat or a job, each by its user's token and from here."""
    rows = client.site.database.run(
        "SELECT action, token_id IS NOT NULL AND actor_kind = 'user' AND address = '127.0.0.1'"
        " FROM sessions_app_auditentry WHERE object_id = %s ORDER BY number",
        name,
    )
    assert all(known for _, known in rows)
    return [action for action, _ in rows]


def begin(client: Files) -> str:
    answer = client.ask("POST", "/api/account/export")
    assert answer.status == 202, answer.body
    job_id: str = answer.json["job"]["id"]
    return job_id


def job(client: Files, job_id: str) -> dict[str, Any]:
    return client.ask("GET", f"/api/jobs/{job_id}").json


def done(client: Files, job_id: str) -> dict[str, Any]:
    """The job when it has ended, asked for as a program does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if (told := job(client, job_id))["state"] in ("done", "failed"):
            return told
        time.sleep(0.05)
    raise TimeoutError


def result(client: Files, job_id: str, **headers: str) -> Answer:
    return client.ask("GET", f"/api/jobs/{job_id}/result", None, **headers)


def test_a_chat_is_given_as_a_file(mine: Files) -> None:
    session_id = say(mine, SAID)
    answer = mine.ask("GET", f"/api/sessions/{session_id}/export?format=json")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''A%20trip.json"
    assert answer.json["messages"][0]["text"] == SAID
    text = mine.ask("GET", f"/api/sessions/{session_id}/export?format=markdown")
    assert text.body.decode().startswith("# A trip\n")
    assert text.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert mine.ask("GET", f"/api/sessions/{session_id}/export?format=pdf").status == 400
    assert recorded(mine, session_id) == ["session.exported", "session.exported"]


def test_someone_elses_chat_and_job_are_like_none(mine: Files, theirs: Files) -> None:
    session_id, job_id = say(mine, SAID), begin(mine)
    done(mine, job_id)
    for pattern, own in (
        ("/api/sessions/{}/export", session_id),
        ("/api/jobs/{}", job_id),
        ("/api/jobs/{}/result", job_id),
    ):
        foreign, missing = (theirs.ask("GET", pattern.format(name)) for name in (own, uuid.uuid4()))
        assert (foreign.status, foreign.body) == (404, missing.body)


def test_the_archive_is_made_and_given_whole_or_in_parts(mine: Files) -> None:
    session_id = say(mine, SAID)
    job_id = begin(mine)
    told = done(mine, job_id)
    assert (told["state"], told["progress"], told["report"]["sessions"]) == ("done", 1.0, 1)
    whole = result(mine, job_id)
    assert (len(whole.body), whole.headers["Accept-Ranges"]) == (told["size"], "bytes")
    with zipfile.ZipFile(io.BytesIO(whole.body)) as archive:
        assert json.loads(archive.read(f"sessions/{session_id}.json"))["session"]["title"] == "A trip"
    size, tag = told["size"], whole.headers["ETag"]
    parts = {"bytes=0-9": (0, 10), f"bytes={size - 5}-": (size - 5, size), "bytes=-7": (size - 7, size)}
    for header, (start, end) in parts.items():
        part = result(mine, job_id, Range=header, If_Range=tag)
        assert (part.status, part.body) == (206, whole.body[start:end])
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    assert result(mine, job_id, Range=f"bytes={size}-").status == 416
    for ignored in ({"Range": "bytes=0-1,3-4"}, {"Range": "lines=1-2"}, {"Range": "bytes=0-9", "If_Range": '"other"'}):
        assert result(mine, job_id, **ignored).status == 200
    assert recorded(mine, job_id) == ["export.asked", *["export.taken"] * 7]


def test_a_page_needs_the_token_against_forged_requests(mine: Files) -> None:
    browser = Browser(mine.site)
    browser.log_in("owner")
    cookie = {"Cookie": browser.headers["cookie"]}
    forged = Files(mine.site, "owner", **cookie).ask("POST", "/api/account/export")
    assert forged.status == 403
    good = Files(mine.site, "owner", **cookie).ask(
        "POST", "/api/account/export", X_CSRFToken=browser.cookies["csrftoken"]
    )
    assert good.status == 202


@pytest.mark.thorough
def test_an_export_survives_the_death_of_its_process(start_site: Callable[..., LiveSite]) -> None:
    site = start_site(HERMES_TURN_LEASE="2")
    try:
        client = Files(site, "owner")
        say(client, SAID)
        job_id = begin(client)
        site.kill()
        site.restart()
        assert done(client, job_id)["state"] == "done"
        assert result(client, job_id).status == 200
    finally:
        site.stop()


def bring(client: Files, content: bytes) -> Answer:
    """Send a file to be imported."""
    return client.ask("POST", "/api/account/import", form(content, "export.zip"), Content_Type=FORM)


def test_an_export_is_brought_to_another_host(mine: Files, theirs: Files) -> None:
    session_id = say(mine, SAID)
    job_id = begin(mine)
    done(mine, job_id)
    archive = result(mine, job_id).body
    with peer(theirs.site, **theirs.headers) as connection:
        answer = bring(theirs, archive)
        assert (answer.status, answer.json["job"]["kind"]) == (202, "import")
        told = connection.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "session.created")
    taken = told["params"]["event"]["value"]
    assert (taken["title"], taken["message_count"]) == ("A trip", 4)
    assert taken["id"] != session_id
    assert done(theirs, answer.json["job"]["id"])["report"]["sessions"] == 1
    assert result(theirs, answer.json["job"]["id"]).status == 404


@pytest.mark.thorough
def test_a_file_that_is_too_large_is_refused_by_its_length(start_site: Callable[..., LiveSite]) -> None:
    site = start_site(HERMES_MAX_IMPORT="100kB")
    try:
        client = Files(site, "owner")
        refused = bring(client, b"x" * 200_000)
        assert (refused.status, refused.error) == (413, "A file may have at most 0.1 MB.")
        in_chunks = client.ask("POST", "/api/account/import", chunked(form(b"x" * 200_000)), Content_Type=FORM)
        assert in_chunks.status == 413
        assert bring(client, b"no export").status == 202
    finally:
        site.stop()
