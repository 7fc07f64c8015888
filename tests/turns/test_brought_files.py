"""Files that programs send with the conversation, each time: known by their bytes, kept once, attached where new."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from uuid import uuid4

import pytest

from sessions_app import database
from sessions_app.conversations import storage
from sessions_app.conversations.line_digests import Said, SaidFile
from sessions_app.errors import Conflict
from sessions_app.models import AgentProfile, ChatSession, FileContent, Message, MessageFile, UserFile
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.recognising import Heard
from sessions_app.turn_store.thread_history import ThreadMessage
from sessions_app.turn_store.threads import ThreadRequest, ThreadRun
from tests.extraction import samples
from tests.files.given import add
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.stamps.stored import assert_storage_is_true
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, stands_at, within
from tests.turns.test_conversing import ended
from tests.turns.test_files import kept, shown

pytestmark = pytest.mark.one_database

__all__ = ["kept"]

PICTURE, OTHER, TEXT = samples.picture(), samples.picture(size=(30, 20)), b"What the letter says."


def file(content: bytes, name: str = "image.png") -> SaidFile:
    return SaidFile(sha256(content).hexdigest(), name)


class Program:
    """A program whose files are added when they are asked for; ``added`` says which those were."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.added: list[str] = []

    async def keep(self, files: Collection[SaidFile]) -> None:
        contents = {file(content).digest: content for content in (PICTURE, OTHER, TEXT)}
        for each in files:
            self.added.append(each.name)
            await add(self.host.user_id, contents[each.digest], each.name)

    async def say(self, *said: str | tuple[str, SaidFile], name: str | None = None) -> AcceptedTurn:
        """A whole turn of a conversation: texts of the user, with a file or without, and of the assistant in turn."""
        profile = await database.write(AgentProfile.default)
        each = tuple(
            Said(("user", "assistant")[number % 2], one if isinstance(one, str) else one[0], files=files_of(one))
            for number, one in enumerate(said)
        )
        heard = Heard(profile.pk, None, each, name)
        asked = await within(self.host.runner.service.converse(self.host.user_id, heard, None, keep=self.keep))
        await ended(self.host, asked.run_id)
        return asked

    async def ask(self, *messages: ThreadMessage) -> ThreadRun:
        """Ask for a run of a thread."""
        request = ThreadRequest("thread", str(uuid4()), None, messages)
        return await within(self.host.runner.service.run_thread(self.host.user_id, request, keep=self.keep))

    async def run(self, *messages: ThreadMessage) -> ThreadRun:
        """A whole run of a thread."""
        found = await self.ask(*messages)
        if found.asked is not None and found.run_id is not None:
            await ended(self.host, found.run_id)
        return found


def files_of(one: str | tuple[str, SaidFile]) -> tuple[SaidFile, ...]:
    return () if isinstance(one, str) else (one[1],)


@pytest.fixture
def program(host: Host, provider: Provider) -> Program:
    """A program of the host's user."""
    provider.script(*(Answer([f"A{number}"]) for number in range(1, 6)))
    return Program(host)


async def counts() -> tuple[int, ...]:
    """How many sessions, messages, files and contents there are."""
    models = (ChatSession, Message, UserFile, FileContent)
    return await database.read(lambda: tuple(each.objects.count() for each in models))


async def test_a_history_sent_again_stores_no_file_anew(program: Program, host: Host, provider: Provider) -> None:
    asked = await program.say(("Q1", file(PICTURE)))
    await program.say(("Q1", file(PICTURE)), "A1", "Q2")
    await program.say(("Q1", file(PICTURE, "other name.png")), "A1", "Q2", "A2", ("Q3", file(TEXT, "letter.txt")))
    assert program.added == ["image.png", "letter.txt"]
    assert await counts() == (1, 6, 2, 2)
    names = [files for _, files in await shown(host, asked.turn.chat_session_id)]
    assert names == [["image.png"], [], [], [], ["letter.txt"], []]
    for earlier, later in zip(provider.bodies, provider.bodies[1:], strict=False):
        assert extends(later, earlier)
    await database.read(assert_storage_is_true)


@pytest.mark.thorough
async def test_another_file_in_the_history_is_an_edit(program: Program, host: Host) -> None:
    asked = await program.say("Q1", name="mine")
    await program.say("Q1", "A1", ("Q2", file(PICTURE)), name="mine")
    await program.say("Q1", "A1", ("Q2", file(OTHER)), name="mine")
    assert (await counts())[0] == 1
    opened = await host.open(asked.turn.chat_session_id)
    assert [len(message.alternatives) for message in opened["messages"]] == [0, 0, 1, 0]
    await program.say("Q1", "A1", "Q2", name="mine")
    opened = await host.open(asked.turn.chat_session_id)
    assert [len(message.alternatives) for message in opened["messages"]] == [0, 0, 2, 0]
    assert not opened["messages"][2].files


async def test_a_chat_of_the_page_with_files_is_gone_on_with(
    program: Program, host: Host, session: NewSession, provider: Provider
) -> None:
    chat, picture = await session(), await add(host.user_id, PICTURE, "photo.png")
    await host.turn(chat, "Q1", [picture.id])
    asked = await program.say(("Q1", file(PICTURE)), "A1", "Q2")
    assert (asked.turn.chat_session_id, program.added) == (chat, [])
    assert extends(provider.bodies[1], provider.bodies[0])


@pytest.mark.thorough
async def test_a_history_that_nobody_knows_keeps_its_files(program: Program, host: Host) -> None:
    asked = await program.say(("Q1", file(PICTURE)), "A", ("Q2", file(PICTURE)), "B", ("", file(TEXT, "letter.txt")))
    assert await shown(host, asked.turn.chat_session_id) == [
        ("Q1", ["image.png"]),
        ("A", []),
        ("Q2", ["image.png"]),
        ("B", []),
        ("", ["letter.txt"]),
        ("A1", []),
    ]
    assert await database.read(MessageFile.objects.count) == 3
    assert (await counts())[2:] == (2, 2)
    await host.runner.service.delete_session(host.user_id, asked.turn.chat_session_id)
    await host.runner.service.tidying.done()
    assert await counts() == (0, 0, 0, 0)
    assert (await database.read(storage.stored, host.user_id)).file_bytes == 0


@pytest.mark.thorough
async def test_a_chat_that_begins_with_a_file_alone_has_its_name(program: Program) -> None:
    asked = await program.say(("", file(TEXT, "letter.txt")))
    titles = ChatSession.objects.filter(pk=asked.turn.chat_session_id).values_list("title", flat=True)
    assert await database.read(lambda: list(titles)) == ["letter.txt"]


async def test_a_model_without_pictures_refuses_and_stores_nothing(program: Program) -> None:
    profile = await database.write(AgentProfile.default)
    await database.write(lambda: AgentProfile.objects.filter(pk=profile.pk).update(takes_images=False))
    with pytest.raises(Conflict):
        await program.say(("Q1", file(PICTURE)))
    assert (await counts())[:2] == (0, 0)


@pytest.mark.thorough
async def test_a_thread_knows_the_files_of_its_messages(program: Program) -> None:
    first = ThreadMessage("u1", "user", "Q1", files=(file(PICTURE),))
    await program.run(first)
    await program.run(first, ThreadMessage("u2", "user", "Q2", files=(file(TEXT, "letter.txt"),)))
    assert program.added == ["image.png", "letter.txt"]
    with pytest.raises(Conflict):
        await program.run(ThreadMessage("u1", "user", "Q1", files=(file(OTHER),)), ThreadMessage("u3", "user", "Q3"))
    with pytest.raises(Conflict):
        await program.run(ThreadMessage("u1", "user", "Q1"), ThreadMessage("u3", "user", "Q3"))
    assert (await counts()) == (1, 4, 2, 2)


async def test_a_waiting_message_of_a_thread_has_its_files(host: Host, provider: Provider) -> None:
    gate, program = Gate(), Program(host)
    provider.script(Answer(["A1"], gates={0: gate}), Answer(["A2"]))
    running = await program.ask(ThreadMessage("u1", "user", "Q1"))
    await stands_at(gate)
    second = ThreadMessage("u2", "user", "Q2", files=(file(PICTURE),))
    waiting = await program.ask(second)
    again = await program.ask(second)
    assert waiting.run_id == again.run_id
    gate.open()
    for found in (running, waiting):
        await ended(host, found.run_id or uuid4())
    assert (await shown(host, running.session_id))[2] == ("Q2", ["image.png"])
    assert program.added == ["image.png"]
