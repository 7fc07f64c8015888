"""Messages with files: asked, queued, edited, forked, deleted; a file goes with the last message that has it."""

from __future__ import annotations

import asyncio
import threading
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django import Settings

from sessions_app import database
from sessions_app.conversations import storage
from sessions_app.errors import Conflict, NotFound, TooLarge, TooMany
from sessions_app.extraction.results import Unreadable
from sessions_app.files import adding, clearing, store
from sessions_app.models import (
    AgentProfile,
    ChatSession,
    ContentState,
    FileContent,
    Message,
    MessageFile,
    TurnFile,
    TurnStatus,
    UserFile,
)
from sessions_app.session_store.forking import fork
from tests.extraction import samples
from tests.files.given import add, add_all
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.stamps.stored import assert_storage_is_true
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, be_quiet, new_session, stands_at, within

pytestmark = pytest.mark.one_database

PICTURE, TEXT = samples.picture(), b"What the letter says."


@pytest.fixture(autouse=True)
def kept(settings: Settings, tmp_path: Path) -> Path:
    """Where the files of this test are kept."""
    files = {**settings.STORAGES["files"], "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": files}
    return tmp_path / "files"


def _objects(kept: Path) -> list[str]:
    return sorted(path.name for path in kept.rglob("*") if path.is_file())


async def objects(kept: Path) -> list[str]:
    """The names of all objects that are kept."""
    return await asyncio.to_thread(_objects, kept)


async def shown(host: Host, chat: UUID) -> list[Any]:
    """Texts and names of files of a session's messages."""
    opened = await host.open(chat)
    return [(message.text, [file.name for file in message.files or []]) for message in opened["messages"]]


@pytest.mark.thorough
async def test_a_message_shows_its_files_in_their_order(host: Host, session: NewSession) -> None:
    chat = await session()
    picture = await add(host.user_id, PICTURE, "a.png")
    letter = await add(host.user_id, TEXT, "b.txt")
    await host.turn(chat, "look", [letter.id, picture.id, letter.id])
    assert (await shown(host, chat))[0] == ("look", ["b.txt", "a.png"])
    opened = await host.open(chat)
    assert opened["messages"][0].files == [letter, picture]
    created = await host.listener.fact("message.created")
    assert [file["id"] for file in created["files"]] == [str(letter.id), str(picture.id)]
    await database.read(assert_storage_is_true)


async def test_a_message_may_be_files_alone(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    picture = await add(host.user_id, PICTURE, "sunset.png")
    await host.turn(chat, "", [picture.id])
    content = provider.requests[-1].json["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["image_url"]
    opened = await host.open(chat)
    assert opened["session"].title == "sunset.png"


async def test_files_of_others_are_like_missing_ones(host: Host, session: NewSession) -> None:
    chat = await session()
    other = await database.write(get_user_model().objects.create_user, "another")
    theirs = await add(other.pk, TEXT)
    for file_id in (theirs.id, uuid.uuid4()):
        with pytest.raises(NotFound):
            await host.ask(chat, "look", files=[file_id])
    assert await shown(host, chat) == []


@pytest.mark.thorough
async def test_the_same_request_again_is_the_same_turn(host: Host, session: NewSession, provider: Provider) -> None:
    chat, message_id = await session(), uuid.uuid4()
    [file_id] = await add_all(host.user_id, TEXT)
    first = await host.ask(chat, "look", message_id, [file_id])
    await host.listener.end_of(first.run_id)
    again = await host.ask(chat, "look", message_id, [file_id])
    assert (again.repeated, again.run_id) == (True, first.run_id)
    assert [file.id for file in again.message.files or []] == [file_id]
    with pytest.raises(Conflict):
        await host.ask(chat, "look", message_id)


@pytest.mark.both_databases
async def test_a_turn_that_waits_keeps_its_files(host: Host, session: NewSession, provider: Provider) -> None:
    gate, chat = Gate(), await session()
    provider.script(Answer(["one"], gates={0: gate}), Answer(["two"]))
    running = await host.ask(chat, "first")
    await stands_at(gate)
    file = await add(host.user_id, PICTURE, "a.png")
    waiting = await host.ask(chat, "second", files=[file.id])
    withdrawn = await host.ask(chat, "third", files=[file.id])
    assert (waiting.queued, waiting.message.files) == (True, [file])
    assert await host.stop(chat, withdrawn.run_id)
    opened = await host.open(chat)
    assert [queued.files for queued in opened["queued"]] == [[file]]
    assert await database.read(TurnFile.objects.count) == 2
    gate.open()
    await host.listener.end_of(running.run_id)
    await host.listener.end_of(waiting.run_id)
    assert (await shown(host, chat))[2] == ("second", ["a.png"])
    assert await database.read(lambda: (TurnFile.objects.count(), MessageFile.objects.count())) == (1, 1)


async def test_an_edit_keeps_the_files_unless_it_says_others(host: Host, session: NewSession) -> None:
    chat = await session()
    one, two = await add_all(host.user_id, PICTURE, TEXT)
    asked = await host.ask(chat, "look", files=[one])
    await host.listener.end_of(asked.run_id)
    message_id = asked.message.id
    found = []
    for number, files in enumerate((None, [two], [])):
        edited = await host.runner.service.edit_message(host.user_id, message_id, f"edit {number}", None, files)
        await host.listener.end_of(edited.asked.run_id)
        message_id = edited.asked.message.id
        found.append([file.id for file in edited.asked.message.files or []])
    assert found == [[one], [two], []]


async def test_a_fork_keeps_files_that_the_other_chat_loses(
    host: Host, session: NewSession, provider: Provider, kept: Path
) -> None:
    chat = await session()
    [file_id] = await add_all(host.user_id, PICTURE)
    asked = await host.ask(chat, "look", files=[file_id])
    await host.listener.end_of(asked.run_id)
    forked = await database.write(fork, host.user_id, asked.message.id)
    await host.runner.service.delete_session(host.user_id, chat)
    assert len(await objects(kept)) == 2
    await host.turn(forked.id, "again")
    assert b"image_url" in provider.bodies[-1]
    await host.runner.service.delete_session(host.user_id, forked.id)
    await host.runner.service.tidying.done()
    assert await objects(kept) == []
    assert await database.read(lambda: (UserFile.objects.count(), FileContent.objects.count())) == (0, 0)
    assert (await database.read(storage.stored, host.user_id)).file_bytes == 0


async def test_deleting_a_chat_leaves_files_of_another(host: Host, session: NewSession, kept: Path) -> None:
    one, other = await session(), await session()
    shared, own = await add_all(host.user_id, PICTURE, TEXT)
    await host.turn(one, "look", [shared, own])
    await host.turn(other, "look", [shared])
    await host.runner.service.delete_session(host.user_id, one)
    await host.runner.service.tidying.done()
    assert len(await objects(kept)) == 2
    assert await database.read(lambda: list(UserFile.objects.values_list("pk", flat=True))) == [shared]
    await database.read(assert_storage_is_true)


async def test_a_model_that_takes_no_files_is_not_asked(host: Host, session: NewSession) -> None:
    chat = await session()
    picture, letter = await add_all(host.user_id, PICTURE, TEXT)
    await database.write(lambda: AgentProfile.objects.update(takes_images=False))
    with pytest.raises(Conflict, match="no pictures"):
        await host.ask(chat, "look", files=[picture])
    await host.turn(chat, "read", [letter])
    await database.write(lambda: AgentProfile.objects.update(takes_images=True, takes_files=False))
    with pytest.raises(Conflict, match="no documents"):
        await host.ask(chat, "read", files=[letter])


async def test_a_document_that_is_too_long_for_the_model_is_refused(host: Host, session: NewSession) -> None:
    chat = await session()
    await database.write(lambda: AgentProfile.objects.update(context=4_000))
    [file_id] = await add_all(host.user_id, b"word " * 20_000)
    with pytest.raises(TooLarge):
        await host.ask(chat, "read", files=[file_id])


async def test_what_was_never_sent_goes_after_a_day(host: Host, kept: Path) -> None:
    await be_quiet(host)
    old, new = await add_all(host.user_id, PICTURE, TEXT)
    long_ago = timezone.now() - timedelta(days=2)
    await database.write(lambda: UserFile.objects.filter(pk=old).update(created_at=long_ago))
    assert await clearing.clear_abandoned() == 1
    assert await clearing.clear_removed() == 1
    assert len(await objects(kept)) == 1
    assert await database.read(lambda: UserFile.objects.get().pk) == new


async def test_what_a_killed_process_has_left_is_cleared(
    host: Host, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await be_quiet(host)

    class Killed(BaseException):
        pass

    write = adding._write

    def write_and_die(*given: Any) -> None:
        write(*given)
        raise Killed

    monkeypatch.setattr(adding, "_write", write_and_die)
    # Nothing is tidied up by a process that is gone.
    monkeypatch.setattr("sessions_app.files.keeping.give_up", lambda pending: None)
    with pytest.raises(Killed):
        await add(host.user_id, PICTURE)
    assert len(await objects(kept)) == 2
    await clearing.clear_broken_off()
    assert await clearing.clear_removed() == 0
    long_ago = timezone.now() - timedelta(hours=2)
    await database.write(lambda: FileContent.objects.update(created_at=long_ago))
    await clearing.clear_broken_off()
    assert await clearing.clear_removed() == 1
    assert await objects(kept) == []
    await database.read(assert_storage_is_true)


@pytest.mark.both_databases
async def test_what_other_programs_deleted_is_cleared(host: Host, session: NewSession, kept: Path) -> None:
    await be_quiet(host)
    chat = await session()
    await host.turn(chat, "look", await add_all(host.user_id, PICTURE, TEXT))
    await database.write(lambda: Message.objects.all().delete())
    await clearing.clear_abandoned()
    await clearing.clear_removed()
    assert await objects(kept) == []


@pytest.mark.both_databases
async def test_the_files_of_a_deleted_user_are_cleared(host: Host, kept: Path) -> None:
    await be_quiet(host)
    other = await database.write(get_user_model().objects.create_user, "another")
    await add_all(other.pk, PICTURE, TEXT)
    mine = await add(host.user_id, TEXT)
    await database.write(other.delete)
    await clearing.clear_removed()
    assert len(await objects(kept)) == 1
    assert await database.read(lambda: UserFile.objects.get().pk) == mine.id


async def test_a_full_disk_leaves_nothing_and_says_so(host: Host, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await be_quiet(host)
    saved: list[str] = []
    save = storages["files"].save

    def fill(name: str, content: Any) -> str:
        if saved:
            # As the kernel says it, in the midst of the second object.
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            (kept / name).write_bytes(b"half")
            raise OSError(28, "No space left on device")
        saved.append(name)
        return save(name, content)

    monkeypatch.setattr(storages["files"], "save", fill)
    with pytest.raises(store.StoreFull):
        await add(host.user_id, PICTURE)
    assert await objects(kept) == []
    assert await database.read(FileContent.objects.count) == 0
    assert (await database.read(storage.stored, host.user_id)).file_bytes == 0


async def test_a_file_beyond_the_quota_is_not_written(host: Host, settings: Settings, kept: Path) -> None:
    settings.HERMES_FILE_QUOTA = 30
    await add(host.user_id, TEXT[:10])
    with pytest.raises(TooMany) as refused:
        await add(host.user_id, TEXT)
    assert refused.value.data == {"quota": "files", "used": 20, "limit": 30}
    assert len(await objects(kept)) == 1


async def test_what_cannot_be_read_takes_no_room(host: Host, kept: Path) -> None:
    with pytest.raises(Unreadable):
        await add(host.user_id, samples.encrypted_pdf())
    assert await objects(kept) == []
    assert await database.read(FileContent.objects.count) == 0


async def test_a_chat_is_deleted_although_the_store_is_away(
    host: Host, session: NewSession, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    await host.turn(chat, "look", await add_all(host.user_id, PICTURE))

    def refuse(keys: object) -> None:
        raise ConnectionError("the store is away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "delete", refuse)
        await host.runner.service.delete_session(host.user_id, chat)
        await host.runner.service.tidying.done()
    assert len(await objects(kept)) == 2
    assert (await database.read(storage.stored, host.user_id)).file_bytes == 0
    assert await clearing.clear_removed() == 1
    assert await objects(kept) == []


@pytest.mark.thorough
async def test_a_chat_is_deleted_before_a_slow_store_answers(
    host: Host, session: NewSession, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await session(), await session()
    await host.turn(one, "look", await add_all(host.user_id, PICTURE))
    await host.turn(other, "look", await add_all(host.user_id, TEXT))
    asked, answers = threading.Event(), threading.Event()
    delete = storages["files"].delete

    def wait_and_delete(name: str) -> None:
        asked.set()
        answers.wait(PATIENCE)
        delete(name)

    monkeypatch.setattr(storages["files"], "delete", wait_and_delete)
    await within(host.runner.service.delete_session(host.user_id, one))
    await asyncio.to_thread(asked.wait, PATIENCE)
    await within(host.runner.service.delete_session(host.user_id, other))
    assert await database.read(ChatSession.objects.count) == 0
    assert len(await objects(kept)) == 3
    answers.set()
    await host.runner.service.tidying.done()
    assert await objects(kept) == []
    assert await database.read(FileContent.objects.count) == 0


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
@pytest.mark.thorough
async def test_two_processes_clear_the_same_without_an_error(new_host: NewHost, kept: Path) -> None:
    host = await new_host()
    await be_quiet(host)
    await add_all(host.user_id, *(f"text {number}".encode() for number in range(5)))
    await database.write(lambda: FileContent.objects.update(state=ContentState.REMOVED))
    first, second = await clearing.clear_removed(), await clearing.clear_removed()
    assert (first, second, await objects(kept)) == (5, 0, [])


async def test_a_turn_without_an_answer_keeps_its_files(host: Host, provider: Provider) -> None:
    chat = await new_session(host.user_id)
    provider.script(Answer(status=403))
    turn = await host.turn(chat, "look", await add_all(host.user_id, PICTURE))
    assert turn.status == TurnStatus.FAILED
    assert (await shown(host, chat))[0] == ("look", ["file0.png"])
