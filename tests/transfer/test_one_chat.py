"""One chat taken along: JSON has all of it, Markdown what is shown."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from sessions_app import database
from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, Message
from sessions_app.session_store import ratings
from sessions_app.transfer import markdown, rows, session_json
from tests.files.given import add
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewSession
from tests.turns.host import Host

pytestmark = pytest.mark.one_database


async def written(host: Host, chat: UUID, form: Any = session_json) -> str:
    """The whole document."""
    door = database.of(host.user_id)
    exported = await door.read(rows.head, host.user_id, chat)
    link = lambda shape: f"https://here{shape.url}"  # noqa: E731
    return b"".join([piece async for piece in form.pieces(door, host.user_id, exported, link)]).decode()


async def edited(host: Host, session: NewSession, provider: Provider) -> UUID:
    """A chat of two branches; the second one is active."""
    chat = await session("Two [ways]")
    provider.script(Answer(["the first answer"]), Answer(["the second answer"]))
    turn = await host.turn(chat, "first question")
    branched = await host.runner.service.edit_message(host.user_id, turn.message_id, "second question", None)
    await host.listener.end_of(branched.asked.run_id)
    return chat


async def test_json_has_every_branch_and_names_the_active_one(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await edited(host, session, provider)
    told = json.loads(await written(host, chat))
    assert (told["format"], told["version"], told["session"]["title"]) == ("hermes-session", 1, "Two [ways]")
    first, second = told["branches"]
    assert (second["parent"], told["session"]["active_branch"]) == (first["id"], second["id"])
    said = [(message["branch"], message["text"]) for message in told["messages"]]
    assert said == [
        (first["id"], "first question"),
        (first["id"], "the first answer"),
        (second["id"], "second question"),
        (second["id"], "the second answer"),
    ]
    assert told["messages"][1]["model"] == "loopback"


async def test_markdown_is_what_is_shown(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await edited(host, session, provider)
    text = await written(host, chat, markdown)
    assert text.startswith("# Two \\[ways\\]\n")
    assert "second question" in text
    assert "the second answer" in text
    assert "first" not in text


async def test_files_are_links(host: Host, session: NewSession) -> None:
    chat = await session()
    file = await add(host.user_id, b"What the letter says.", "a [letter].txt")
    await host.turn(chat, "read it", [file.id])
    [told] = json.loads(await written(host, chat))["files"]
    assert (told["id"], told["url"]) == (str(file.id), f"https://here{file.url}")
    assert f"- [a \\[letter\\].txt](https://here{file.url})" in await written(host, chat, markdown)


async def test_a_rating_goes_along(host: Host, session: NewSession) -> None:
    chat = await session()
    turn = await host.turn(chat)
    await database.write(ratings.rate, host.user_id, turn.answer_id, 1, "well said")
    _, answer = json.loads(await written(host, chat))["messages"]
    assert (answer["rating"], answer["comment"]) == (1, "well said")


async def test_the_operators_prompt_is_not_in_clear(host: Host, session: NewSession) -> None:
    chat = await session()
    await database.write(
        ChatSession.objects.filter(pk=chat).update, frozen_prefix='{"system_prompt":"s3cret","tools":[]}'
    )
    document = await written(host, chat)
    assert json.loads(document)["session"]["prefix"]["sealed"]
    assert "s3cret" not in document


async def test_text_in_markdown_cannot_end_its_fence(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    result = [{"kind": "result", "id": "1", "name": "t`ool"}]
    await database.write(Message.objects.filter(role="assistant").update, role="tool", text="```\nout", parts=result)
    assert "The tool ``t`ool`` answers:\n\n````\n```\nout\n````\n" in await written(host, chat, markdown)


@pytest.mark.both_databases
async def test_a_chat_that_is_deleted_meanwhile_ends_its_export(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    exported = await database.read(rows.head, host.user_id, chat)
    await host.runner.service.delete_session(host.user_id, chat)
    with pytest.raises(NotFound):
        async for _ in session_json.pieces(database.of(host.user_id), host.user_id, exported, lambda shape: shape.url):
            pass


async def test_someone_elses_chat_is_like_none(host: Host, session: NewSession) -> None:
    chat = await session()
    for user_id, session_id in ((host.user_id + 1, chat), (host.user_id, uuid4())):
        with pytest.raises(NotFound):
            await database.read(rows.head, user_id, session_id)
