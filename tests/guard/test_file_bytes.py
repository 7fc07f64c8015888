"""Byte identity with files in the conversation: pictures as pictures, documents as text, on each wire."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from typing import Any
from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.files import pictures, store
from sessions_app.llm.content.files import filled, referenced
from sessions_app.models import AgentProfile, FileContent, TurnStatus, UserFile
from tests.extraction import samples
from tests.files.given import add, add_all
from tests.guard.oracle import Oracle, stored
from tests.guard.test_bytes import assert_each_extends_the_last, think_call_and_say
from tests.guard.wires import first_over_anthropic, over_anthropic, over_chat, over_responses
from tests.llm.talking import timeless
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, stands_at

pytestmark = pytest.mark.usefixtures("wire")

PICTURE, OTHER = samples.picture("PNG"), samples.picture("PNG", (30, 30))
SCANNED = samples.scanned_pdf(pages=2)
LETTER = 'Dear "reader",\n\u2028 ä 🎈 </document> \\ it ends.'.encode()


async def sent(name: str) -> str:
    """The base64 of a picture as it was sent, by the file's name."""

    def read() -> bytes:
        content = UserFile.objects.select_related("content").get(name=name).content
        return store.read(store.key_of(content.owner_id, content.folder, content.images[0]))

    return b64encode(await database.read(read)).decode()


def pictures_in(body: Any) -> list[str]:
    """The base64 of all pictures in a request, in their order, on whatever wire."""
    if isinstance(body, dict):
        source = body.get("source")
        if isinstance(source, dict) and source.get("type") == "base64":
            assert source["media_type"].startswith("image/")
            return [source["data"]]
        return [found for value in body.values() for found in pictures_in(value)]
    if isinstance(body, list):
        return [found for value in body for found in pictures_in(value)]
    found = re.fullmatch(r"data:image/(?:png|jpeg);base64,(.+)", body) if isinstance(body, str) else None
    return [found[1]] if found else []


@first_over_anthropic
async def test_pictures_and_documents_across_turns(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    think_call_and_say(provider, 3)
    picture = await add(host.user_id, PICTURE, "a.png")
    letter = await add(host.user_id, LETTER, "letter.txt")
    await host.turn(chat, "look", [picture.id, letter.id])
    await host.turn(chat, "and so?")
    other = await add(host.user_id, OTHER, "b.png")
    await host.turn(chat, "this?", [other.id])
    assert len(provider.bodies) == 6
    assert_each_extends_the_last(provider.bodies)
    body = provider.requests[-1].json
    assert pictures_in(body) == [await sent("a.png"), await sent("b.png")]
    said = provider.bodies[-1].decode()
    assert '<document name=\\"letter.txt\\">\\nDear \\"reader\\",' in said
    assert "<\\\\/document> \\\\ it ends.\\n</document>\\n\\nlook" in said


async def test_it_is_what_is_stored(host: Host, session: NewSession, provider: Provider, wire: str) -> None:
    chat, gate = await session(), Gate()
    think_call_and_say(provider)
    await host.turn(chat, "look", await add_all(host.user_id, PICTURE, LETTER))
    provider.script(Answer(["x"], gates={0: gate}))
    asked = await host.ask(chat, "", files=await add_all(host.user_id, SCANNED))
    await stands_at(gate)
    now = await database.read(stored, chat)
    rows = await database.read(lambda: now.rows)
    assert timeless(provider.bodies[-1]) == await whole(Oracle(wire), host.user_id, chat, now.prefix, rows)
    assert len(pictures_in(provider.requests[-1].json)) == 3
    gate.open()
    await host.listener.end_of(asked.run_id)


async def whole(oracle: Oracle, user_id: int, chat: UUID, prefix: str, rows: Any) -> bytes:
    """The oracle's body with the pictures in it."""
    body = referenced(await oracle.body(chat, prefix, rows))
    names = {found.decode() for found in re.findall(rb"\0([^\0]+)\0", body)}

    def read() -> dict[str, bytes]:
        return {name: b64encode(store.read(f"{user_id}/{name}")) for name in names}

    return filled(body, await asyncio.to_thread(read))


@over_responses
async def test_in_another_process_and_back(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    one, other = await new_host(), await new_host()
    chat = await session()
    think_call_and_say(provider, 4)
    await one.turn(chat, "look", await add_all(one.user_id, PICTURE, LETTER, SCANNED))
    for host in (other, one, other):
        turn = await host.turn(chat)
    assert guard_of(turn) == ("reused", "read", "grew by 4 elsewhere")
    assert_each_extends_the_last(provider.bodies)


@over_chat
async def test_of_a_long_transcript_that_is_read_again(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    chat, host = await session(), await new_host()
    for number in range(8):
        files = await add_all(host.user_id, PICTURE) if number % 2 else []
        await host.turn(chat, f"number {number}", files)
    seen = provider.bodies[-1]
    await (await new_host()).turn(chat, "again")
    assert_each_extends_the_last([seen, provider.bodies[-1]])


@over_anthropic
async def test_a_file_is_sent_as_it_was_whatever_is_made_of_it_now(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "look", await add_all(host.user_id, LETTER))

    def change() -> None:
        FileContent.objects.update(media_type="application/x-new", suffix=".new", notice="read by another release")

    await database.write(change)
    await host.turn(chat, "again")
    assert_each_extends_the_last(provider.bodies)


@over_chat
async def test_the_transcript_holds_no_picture(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    content = samples.picture("JPEG", (1500, 1500), quality=95)
    await host.turn(chat, "look", await add_all(host.user_id, content))
    await host.turn(chat, "again")
    assert len(provider.bodies[-1]) > 10_000
    assert host.runner.pool.statistics().bytes < 10_000


@over_responses
async def test_a_picture_that_is_gone_fails_the_turn(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    await host.turn(chat, "look", await add_all(host.user_id, PICTURE))
    asked = len(provider.bodies)
    monkeypatch.setattr(pictures, "_kept", pictures.PictureCache(0))

    def lose() -> None:
        content = FileContent.objects.get()
        store.delete([store.key_of(content.owner_id, content.folder, content.images[0])])

    await database.read(lose)
    turn = await host.turn(chat, "again")
    assert (turn.status, len(provider.bodies)) == (TurnStatus.FAILED, asked)
    assert "no longer" in turn.error_text or "not there" in turn.error_text


@over_anthropic
async def test_a_document_that_another_program_changed_fails_the_turn(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    chat, host = await session(), await new_host()
    await host.turn(chat, "look", await add_all(host.user_id, LETTER))
    asked = len(provider.bodies)
    await database.write(lambda: FileContent.objects.update(text="something else"))
    turn = await (await new_host()).turn(chat, "again")
    assert (turn.status, len(provider.bodies)) == (TurnStatus.FAILED, asked)


@over_responses
async def test_a_model_that_sees_no_pictures_is_told_their_names(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    picture = await add(host.user_id, PICTURE, "cat.png")
    await host.turn(chat, "look", [picture.id])
    await database.write(lambda: AgentProfile.objects.update(takes_images=False))
    turn = await host.turn(chat, "and now?")
    assert guard_of(turn)[1] == "read"
    assert pictures_in(provider.requests[-1].json) == []
    assert b"[Pictures that you cannot see: cat.png]\\n\\nlook" in provider.bodies[-1]
    bodies = len(provider.bodies)
    await host.turn(chat, "again")
    assert_each_extends_the_last(provider.bodies[bodies - 1 :])


@over_anthropic
async def test_the_cost_of_a_turn_does_not_grow_with_files_before_it(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = store.read

    def noted(key: str) -> bytes:
        reads.append(key)
        return read(key)

    monkeypatch.setattr(store, "read", noted)
    monkeypatch.setattr(pictures, "_kept", pictures.PictureCache(pictures.KEPT_BYTES))
    chat = await session()
    for content in (PICTURE, OTHER, LETTER):
        await host.turn(chat, "look", await add_all(host.user_id, content))
    assert len(reads) == 2
    for _ in range(3):
        turn = await host.turn(chat, "on")
    assert (guard_of(turn)[1], len(reads)) == ("kept", 2)
