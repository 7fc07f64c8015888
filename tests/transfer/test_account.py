"""An account taken along: the job that writes its archive, and what the archive has."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F
from django.utils import timezone

from sessions_app import database
from sessions_app.conversations import reach
from sessions_app.errors import Forbidden, NotFound
from sessions_app.files import purging, store
from sessions_app.jobs import clearing, rows
from sessions_app.jobs.rows import MAX_ATTEMPTS, ClaimLost, JobShape
from sessions_app.models import AgentProfile, Job, JobState, UserInstructions
from sessions_app.session_store import memory
from sessions_app.transfer import archive
from tests.files.given import add
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.transfer.given import LEASE, process
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, within


async def ask(user_id: int) -> JobShape:
    return await database.write(rows.ask_for_export, user_id)


async def ended(user_id: int) -> Job:
    """The user's export, when this process has done all there is to do."""
    jobs = process()
    await within(jobs.do_all())
    return await database.read(Job.objects.exclude(state=JobState.REMOVED).get, owner_id=user_id)


def unzipped(job: Job) -> dict[str, bytes]:
    content = store.read(store.key_of(job.owner_id, job.folder, job.result))
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


async def exported(user_id: int) -> dict[str, bytes]:
    await ask(user_id)
    job = await ended(user_id)
    assert job.state == JobState.DONE, job.report
    return await asyncio.to_thread(unzipped, job)


@pytest.mark.one_database
async def test_an_archive_has_chats_files_ledger_and_account(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session("A letter/home")
    file = await add(host.user_id, b"What the letter says.", "letter.txt")
    provider.script(Answer(["an answer"]))
    turn = await host.turn(chat, "read it", [file.id])
    await database.write(memory.add, host.user_id, "Likes tea.")
    await database.write(UserInstructions.objects.create, owner_id=host.user_id, text="Be brief.")
    found = await exported(host.user_id)
    day = f"{turn.created_at:%Y-%m-%d}"
    assert set(found) == {
        "account.json",
        "ledger.csv",
        f"sessions/{chat}.json",
        f"markdown/{day} A letter home {chat.hex[:8]}.md",
        f"files/{file.id}/letter.txt",
        f"objects/{hashlib.sha256(b'What the letter says.').hexdigest()}",
        "files.json",
    }
    account = json.loads(found["account.json"])
    assert (account["format"], account["username"], account["instructions"]) == ("hermes-account", "owner", "Be brief.")
    assert [each["text"] for each in account["memory"]["memories"]] == ["Likes tea."]
    [line] = csv.DictReader(found["ledger.csv"].decode().splitlines())
    assert (line["run_id"], line["status"]) == (str(turn.run_id), "complete")
    told = json.loads(found[f"sessions/{chat}.json"])
    assert [message["text"] for message in told["messages"]] == ["read it", "an answer"]
    assert found[told["files"][0]["url"]] == b"What the letter says."
    assert json.loads(found["files.json"])[0]["url"] == told["files"][0]["url"]


@pytest.mark.one_database
async def test_the_report_counts_and_says_what_is_left_out(host: Host, session: NewSession, kept: Path) -> None:
    chat = await session()
    await host.turn(chat)
    lost = await add(host.user_id, b"lost", "lost.txt")
    await asyncio.to_thread(shutil.rmtree, kept)
    await ask(host.user_id)
    job = await ended(host.user_id)
    assert (job.state, job.progress, job.size > 0) == (JobState.DONE, 1.0, True)
    assert job.report == {
        "sessions": 1,
        "messages": 2,
        "files": 0,
        "left_out": [{"kind": "file", "id": str(lost.id), "why": "Its bytes are lost."}],
        "left_out_count": 1,
    }


@pytest.mark.one_database
async def test_nothing_of_others_is_in_it(host: Host, session: NewSession) -> None:
    other = await database.write(get_user_model().objects.create_user, "another")
    await add(other.pk, b"theirs")
    await session("mine")
    await session("theirs")
    found = await exported(other.pk)
    assert [name for name in found if name.startswith("sessions/")] == []
    assert len([name for name in found if name.startswith("files/")]) == 1


async def test_to_ask_again_while_it_is_made_is_the_same_job(host: Host) -> None:
    first = await ask(host.user_id)
    assert (await ask(host.user_id)).id == first.id
    await ended(host.user_id)
    assert (await ask(host.user_id)).id != first.id
    with pytest.raises(NotFound):
        await database.read(rows.find, host.user_id, first.id)


@pytest.mark.one_database
async def test_a_token_of_one_profile_gets_no_account(host: Host) -> None:
    profile = await database.write(AgentProfile.default)

    def limited() -> Any:
        with reach.limited(profile.pk):
            return rows.ask_for_export(host.user_id)

    with pytest.raises(Forbidden):
        await database.write(limited)


async def test_a_job_of_a_dead_process_is_done_by_another(host: Host) -> None:
    asked = await ask(host.user_id)
    dead = await database.write(rows.claim, "dead", LEASE)
    assert dead is not None
    silent = process("another")
    await silent.do_all()
    job = await database.read(Job.objects.get, pk=asked.id)
    if connection.vendor == "sqlite":
        assert job.state == JobState.DONE  # its process has no lock
        return
    assert job.state == JobState.RUNNING
    await database.write(Job.objects.update, heartbeat_at=F("heartbeat_at") - timedelta(seconds=LEASE))
    await silent.do_all()
    job = await database.read(Job.objects.get, pk=asked.id)
    assert job.state == JobState.DONE
    with pytest.raises(ClaimLost):
        await database.write(rows.finish, dead, {})


async def test_a_job_that_kills_its_processes_is_given_up(host: Host) -> None:
    asked = await ask(host.user_id)
    await database.write(Job.objects.update, attempts=MAX_ATTEMPTS)
    assert await database.write(rows.claim, "one", LEASE) is None
    job = await database.read(Job.objects.get, pk=asked.id)
    assert job.state == JobState.FAILED
    assert "several times" in str(job.report)


async def test_a_process_that_ends_leaves_its_job_to_another(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, begun = await ask(host.user_id), asyncio.Event()

    async def never(*_: Any) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(archive, "write", never)
        work = asyncio.create_task(process().do_all())
        await within(begun.wait())
        work.cancel()
        await asyncio.wait([work])
    job = await database.read(Job.objects.get, pk=asked.id)
    assert (job.state, job.attempts) == (JobState.WAITING, 0)
    assert (await ended(host.user_id)).state == JobState.DONE


async def test_a_user_who_may_no_longer_act_ends_it(new_host: NewHost, monkeypatch: pytest.MonkeyPatch) -> None:
    host = await new_host(lease=1.0)
    begun = asyncio.Event()

    async def never(*_: Any) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(archive, "write", never)
    await ask(host.user_id)
    work = asyncio.create_task(process(lease=1.0).do_all())
    await within(begun.wait())
    await database.write(get_user_model().objects.filter(pk=host.user_id).update, is_active=False)
    await within(work)
    assert await clearing.clear() == 1
    assert not await database.read(Job.objects.exists)


@pytest.mark.one_database
async def test_a_fault_is_told_without_what_it_says(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> dict[str, Any]:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(archive, "write", broken)
    await ask(host.user_id)
    job = await ended(host.user_id)
    assert job.state == JobState.FAILED
    assert job.report == {"error": "Something went wrong on the server. Try again later."}
    caplog.clear()


async def test_what_an_export_has_made_goes_after_a_day(host: Host, kept: Path) -> None:
    await exported(host.user_id)
    assert await clearing.clear() == 0
    removed = await purging.purge_files(dry_run=False)
    assert removed.strays == 0
    long_ago = timezone.now() - rows.KEPT_FOR - timedelta(minutes=1)
    await database.write(Job.objects.update, ended_at=long_ago)
    assert await database.read(rows.expired) == 1
    assert await clearing.clear() == 1
    assert not await asyncio.to_thread(lambda: [path for path in kept.rglob("*") if path.is_file()])
    assert not await database.read(Job.objects.exists)


async def test_a_deleted_users_export_goes_too(host: Host, kept: Path) -> None:
    other = await database.write(get_user_model().objects.create_user, "another")
    await exported(other.pk)
    await database.write(other.delete)
    assert await clearing.clear() == 1
    assert not await asyncio.to_thread(lambda: [path for path in kept.rglob("*") if path.is_file()])


async def test_someone_elses_job_is_like_none(host: Host) -> None:
    asked = await ask(host.user_id)
    for user_id, job_id in ((host.user_id + 1, asked.id), (host.user_id, UUID(int=0))):
        with pytest.raises(NotFound):
            await database.read(rows.find, user_id, job_id)


async def test_a_job_of_a_user_who_may_not_act_is_not_begun(host: Host) -> None:
    await ask(host.user_id)
    users = get_user_model().objects.filter(pk=host.user_id)
    await database.write(users.update, is_active=False)
    assert not await database.read(rows.is_anything_to_do)
    assert await database.write(rows.claim, "process", 1.0) is None
    await database.write(users.update, is_active=True)
    assert await database.write(rows.claim, "process", 1.0) is not None
