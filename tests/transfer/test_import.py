"""An export of this host, brought back: the same chats, branches and files, and prompts of the same bytes."""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from pytest_django import Settings

from sessions_app import database
from sessions_app.files import clearing
from sessions_app.imports import storing
from sessions_app.models import (
    AgentProfile,
    Branch,
    ChatSession,
    FileContent,
    Job,
    Memory,
    Message,
    SessionStamp,
    UserFile,
    UserInstructions,
)
from sessions_app.session_store import memory, ratings
from sessions_app.transfer import rows
from tests.extraction import samples
from tests.files.given import add
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.stamps.stored import assert_storage_is_true
from tests.transfer.given import LEASE, exported, imported, job_of, process, send
from tests.turns.fixtures import ONE_IN_THE_SUITE, NewSession
from tests.turns.host import Host, within

ROWS: dict[Any, tuple[str, ...]] = {
    ChatSession: ("pk", "title", "title_by", "frozen_prefix", "active_branch_id", "archived", "pinned", "created_at"),
    Branch: ("pk", "chat_session_id", "parent_id", "fork_position", "created_at"),
    Message: ("public_id", "branch_id", "position", "role", "text", "status", "finish", "kind", "line_digest"),
    UserFile: ("pk", "name", "attached"),
    FileContent: ("digest", "kept", "stored_size", "media_type", "thumbnail", "images", "text", "notice", "state"),
}


def _everything() -> dict[str, list[Any]]:
    return {model.__name__: sorted(map(str, model.objects.values_list(*columns))) for model, columns in ROWS.items()}


async def everything() -> dict[str, list[Any]]:
    """What is stored, without what an import makes anew."""
    return await database.read(_everything)


def prompt_of(provider: Provider) -> bytes:
    """The bytes of the last request, but for how long its cache is to be kept: that is chosen from the turns before."""
    return re.sub(rb'"ttl":"(5m|1h)"', b"", provider.requests[-1].body)


async def wipe(host: Host) -> None:
    """Empty the host of the user's chats and files."""
    for session_id in await database.read(lambda: list(ChatSession.objects.values_list("pk", flat=True))):
        await host.runner.service.delete_session(host.user_id, session_id)
    await host.runner.service.tidying.done()
    await clearing.tidy()
    host.opened.clear()
    assert not await database.read(FileContent.objects.exists)


async def conversed(host: Host, session: NewSession, provider: Provider) -> UUID:
    """A chat with branches, a call of a tool, a picture and a document."""
    chat = await session("A trip")
    picture = await add(host.user_id, samples.picture("JPEG"), "view.jpg")
    letter = await add(host.user_id, "Grüße".encode(), "letter.txt")
    provider.script(
        Answer(["a view"]),
        Answer(["another"]),
        Answer(calls=[Call("calculator", '{"expression": "6*7"}')]),
        Answer(["42"]),
    )
    first = await host.turn(chat, "look", [picture.id, letter.id])
    branched = await host.runner.service.edit_message(host.user_id, first.message_id, "look again", None)
    await host.listener.end_of(branched.asked.run_id)
    await host.turn(chat, "calculate")
    return chat


@pytest.mark.parametrize("wire", ONE_IN_THE_SUITE)
async def test_what_is_brought_back_is_what_it_was(
    host: Host, session: NewSession, provider: Provider, settings: Settings, wire: str
) -> None:
    settings.HERMES_MODEL = wire
    chat = await conversed(host, session, provider)
    archive, before = await exported(host.user_id), await everything()
    await host.turn(chat, "and now?")
    sent = prompt_of(provider)
    await wipe(host)
    report = await imported(host.user_id, archive)
    assert (report["sessions"], report["files"], report["left_out"]) == (1, 2, [])
    assert await everything() == before
    await database.read(assert_storage_is_true)
    await host.turn(chat, "and now?")
    assert prompt_of(provider) == sent


@pytest.mark.one_database
async def test_the_same_file_again_makes_nothing_again(host: Host, session: NewSession, provider: Provider) -> None:
    await conversed(host, session, provider)
    archive, before = await exported(host.user_id), await everything()
    for _ in range(2):
        report = await imported(host.user_id, archive)
        assert (report["sessions"], report["there"], report["left_out_count"]) == (0, 1, 0)
    assert await everything() == before


@pytest.mark.one_database
async def test_another_users_export_gets_ids_of_its_own(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await conversed(host, session, provider)
    archive = await exported(host.user_id)
    other = await database.write(get_user_model().objects.create_user, "another")
    for taken in (1, 0):
        assert (await imported(other.pk, archive))["sessions"] == taken
    theirs = await database.read(ChatSession.objects.get, owner=other)
    assert theirs.pk == storing.other_id(other.pk, chat)
    said = Message.objects.filter(owner=other).order_by("pk")
    texts = await database.read(lambda: list(said.values_list("text", flat=True)))
    assert texts[:2] == ["look", "a view"]
    assert await database.read(UserFile.objects.filter(owner=other).count) == 2
    await database.read(assert_storage_is_true)


@pytest.mark.one_database
async def test_open_tabs_are_told_of_each_chat(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session("A trip")
    await host.turn(chat)
    archive = await exported(host.user_id)
    await wipe(host)
    asked = await send(host.user_id, archive)
    await host.runner.jobs.do_all()
    told = await host.listener.until(
        lambda event: (
            event["event"].get("name") == "session.created"
            and event["event"]["value"]["title"] == "A trip"
            and event["event"]["value"]["message_count"] == 2
        )
    )
    assert told["event"]["value"]["id"] == str(chat)
    stamp = await database.read(SessionStamp.objects.get, pk=chat)
    assert stamp.told_revision == stamp.revision
    assert asked.state == "waiting"


@pytest.mark.one_database
async def test_memories_instructions_and_ratings_come_along(host: Host, session: NewSession) -> None:
    chat = await session()
    turn = await host.turn(chat)
    await database.write(ratings.rate, host.user_id, turn.answer_id, -1, "no")
    kept = await database.write(memory.add, host.user_id, "Likes tea.")
    await database.write(UserInstructions.objects.create, owner_id=host.user_id, text="Be brief.")
    archive = await exported(host.user_id)
    await wipe(host)
    await database.write(memory.delete, host.user_id, kept.id)
    await database.write(UserInstructions.objects.all().delete)
    await imported(host.user_id, archive)
    assert await database.read(lambda: Memory.objects.get().text) == "Likes tea."
    assert await database.read(lambda: UserInstructions.objects.get().text) == "Be brief."
    exported_again = await database.read(rows.head, host.user_id, chat)
    _, answer = await database.read(rows.messages, host.user_id, chat, exported_again.messages)
    assert (answer.rating, answer.comment) == (-1, "no")


@pytest.mark.one_database  # refused before anything is stored
async def test_a_prompt_that_the_user_has_written_is_not_believed(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    found = await changed(host, lambda told: told["session"]["prefix"].update(sealed="forged", digest="0" * 64))
    await wipe(host)
    report = await imported(host.user_id, found)
    assert [each["why"] for each in report["left_out"]] == [storing.OTHER_PROMPT]
    chat_session = await database.read(ChatSession.objects.get, pk=chat)
    assert "helpful assistant" in chat_session.frozen_prefix


@pytest.mark.one_database
async def test_a_profile_that_the_user_may_not_choose_is_not_theirs(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    archive = await exported(host.user_id)
    await wipe(host)
    await database.write(AgentProfile.objects.update, name="Renamed", system_prompt="New.")
    report = await imported(host.user_id, archive)
    assert [each["why"] for each in report["left_out"]] == [storing.OTHER_PROMPT]
    chat_session = await database.read(ChatSession.objects.get, pk=chat)
    assert '"system_prompt":"New."' in chat_session.frozen_prefix


async def changed(host: Host, change: Any) -> bytes:
    """The archive of the user with one chat changed."""
    archive = await exported(host.user_id)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("sessions/"):
                told = json.loads(content)
                change(told)
                content = json.dumps(told).encode()
            made.writestr(name, content)
    return target.getvalue()


def _nul(told: Any) -> None:
    told["messages"][0]["text"] = "a\0b"


def _surrogate(told: Any) -> None:
    told["messages"][0]["text"] = "\ud800"


def _deep(told: Any) -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    told["session"]["metadata"] = deep


def _unknown_part(told: Any) -> None:
    told["messages"][0]["parts"] = [{"kind": "audio"}]


def _no_place(told: Any) -> None:
    told["messages"][0]["branch"] = str(uuid.uuid4())


def _twice(told: Any) -> None:
    told["messages"][1]["position"] = told["messages"][0]["position"]


def _circle(told: Any) -> None:
    told["branches"][0]["parent"] = told["branches"][0]["id"]


def _newer(told: Any) -> None:
    told["version"] = 2


SPOILT = (_nul, _surrogate, _deep, _unknown_part, _no_place, _twice, _circle, _newer)


async def test_chats_that_cannot_be_stored_are_left_out(host: Host, session: NewSession) -> None:
    good = await session("good")
    bad = {str(await session(change.__name__)): change for change in SPOILT}
    for chat in bad:
        await host.turn(UUID(chat))

    def spoil(told: Any) -> None:
        if change := bad.get(told["session"]["id"]):
            change(told)

    archive = await changed(host, spoil)
    await wipe(host)
    report = await imported(host.user_id, archive)
    assert (report["sessions"], report["left_out_count"]) == (1, len(SPOILT))
    assert await database.read(lambda: [each.pk for each in ChatSession.objects.all()]) == [good]
    assert await database.read(Message.objects.count) == 0


@pytest.mark.one_database  # refused before anything is stored
@pytest.mark.parametrize(
    ("content", "why"), [(b"", "is empty"), (b"not json", "no export"), (b"PK\x03\x04 cut", "its end is missing")]
)
async def test_a_file_that_is_no_export_says_so(host: Host, content: bytes, why: str) -> None:
    report = await imported(host.user_id, content)
    assert why in report["error"]
    assert await database.read(ChatSession.objects.count) == 0


@pytest.mark.one_database  # refused before anything is stored
@pytest.mark.parametrize(
    ("content", "left_out"),
    [(b"{}", 1), (b"{" * 10_000, 1), (b'{"format": "hermes-session", "version": 1}', 1), (b"[1, 2]", 2)],
)
async def test_what_is_no_chat_in_a_file_is_left_out(host: Host, content: bytes, left_out: int) -> None:
    """A file with an object is read as a chat of this host, and one with a list as the chats of another program."""
    report = await imported(host.user_id, content)
    assert (report["sessions"], report["left_out_count"]) == (0, left_out)
    assert await database.read(ChatSession.objects.count) == 0


@pytest.mark.one_database  # refused before anything is stored
async def test_an_archive_that_is_cut_says_so(host: Host, session: NewSession) -> None:
    await session()
    archive = await exported(host.user_id)
    await wipe(host)
    report = await imported(host.user_id, archive[: len(archive) // 2])
    assert report["error"].startswith("The archive is cut or damaged")


@pytest.mark.one_database  # refused before anything is stored
async def test_a_bomb_is_refused_before_it_is_read(host: Host) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("account.json", '{"format": "hermes-account", "version": 1}')
        made.writestr("sessions/a.json", b" " * 100_000_000)
    report = await imported(host.user_id, target.getvalue())
    assert report == {"error": "What the archive holds is too large for its size."}


@pytest.mark.one_database  # refused before anything is stored
async def test_names_in_an_archive_lead_nowhere(host: Host, session: NewSession) -> None:
    chat = await session()
    file = await add(host.user_id, b"kept", "kept.txt")
    await host.turn(chat, "look", [file.id])
    archive = await exported(host.user_id)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            if name == "files.json":
                content = content.replace(f"files/{file.id}/kept.txt".encode(), b"../../../etc/passwd")
            made.writestr(name, content)
    await wipe(host)
    report = await imported(host.user_id, target.getvalue())
    assert report["sessions"] == 1
    whys = [each["why"] for each in report["left_out"]]
    assert whys == ["Its bytes are not in the archive.", storing.LOST_FILE]
    assert await database.read(UserFile.objects.count) == 0


@pytest.mark.one_database
async def test_a_full_quota_leaves_out_whole_chats(host: Host, session: NewSession, settings: Settings) -> None:
    for title in ("one", "two", "three"):
        await session(title)
    archive = await exported(host.user_id)
    await wipe(host)
    settings.HERMES_SESSIONS_PER_USER = 2
    report = await imported(host.user_id, archive)
    assert (report["sessions"], report["left_out_count"]) == (2, 1)
    assert "2 are allowed" in report["left_out"][0]["why"]
    await database.read(assert_storage_is_true)


@pytest.mark.one_database
async def test_an_import_that_was_killed_is_gone_on_with(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("one", "two", "three"):
        await session(title)
    archive = await exported(host.user_id)
    await wipe(host)
    asked, real = await send(host.user_id, archive), storing.store
    stored: list[Any] = []

    def once(*told: Any) -> Any:
        if stored:
            raise RuntimeError("the process dies here")
        stored.append(real(*told))
        return stored[-1]

    with monkeypatch.context() as patched:
        patched.setattr(storing, "store", once)
        patched.setattr("sessions_app.jobs.running._ended", lambda _, work: work)
        with pytest.raises(RuntimeError):
            await within(process().do_all())
    long_ago = timezone.now() - timedelta(seconds=LEASE)
    await database.write(Job.objects.update, heartbeat_at=long_ago)
    await within(process("another").do_all())
    job = await job_of(asked)
    report: Any = job.report
    assert (job.state, report["sessions"], report["there"], job.attempts) == ("done", 3, 0, 2)
    assert await database.read(ChatSession.objects.count) == 3
