"""Rows that another program has broken: their chat is opened, says so, and says what to do when somebody sends."""

from __future__ import annotations

from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.conversations.schemas import UNREADABLE
from sessions_app.database import plain
from sessions_app.llm.content.errors import WAY_OUT
from sessions_app.models import Message
from sessions_app.session_store import forking
from tests.providers.fixtures import Provider
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, worked
from tests.turns.steps import edited

BROKEN = ["{", "[" * 100_000, "null", "[null]"]
# Which of them the reader takes for what is decided in one place: the turns that follow are the same.
MORE_BROKEN = [
    *("", "no JSON", "1" * 5_000, '"text"', "7", "{}", '{"version": "x"}'),
    *('[{"kind": "audio"}]', "[1]", '[[{"kind": "text"}]]', '{"kind": "text", "start": 0, "length": 1}'),
]
_BREAK = "UPDATE sessions_app_message SET parts = %s WHERE id = %s"


async def break_message(session_id: UUID, position: int, parts: str) -> None:
    def write() -> None:
        message = Message.objects.get(chat_session=session_id, position=position)
        plain.each(_BREAK, [[parts, message.pk]])

    await database.write(write)


@pytest.mark.parametrize("broken_parts", [BROKEN, pytest.param(MORE_BROKEN, marks=pytest.mark.thorough)])
async def test_a_broken_row_is_shown_as_text_and_keeps_nobody_out(
    host: Host, session: NewSession, provider: Provider, broken_parts: list[str]
) -> None:
    for parts in broken_parts:
        chat = await session()
        await host.turn(chat, "first")
        await host.turn(chat, "second")
        await break_message(chat, 2, parts)
        messages = (await host.open(chat))["messages"]
        assert [message.text for message in messages][::2] == ["first", "second"]
        # JSON's null is what a message has that has nothing besides its text.
        broken = UNREADABLE if parts != "null" else None
        assert [message.error for message in messages] == [None, None, broken, None], parts[:20]
        asked = len(provider.bodies)
        turn = await host.turn(chat, "third")
        if broken:
            assert (turn.status, turn.error_code, len(provider.bodies)) == ("failed", "internal", asked), parts[:20]
            assert turn.error_text.endswith(WAY_OUT)
        # The way out: an edit leaves the broken row behind.
        assert (await edited(host, messages[0].id, "anew")).status == "complete"


@pytest.mark.usefixtures("hurried")
async def test_every_process_reads_and_forks_a_broken_chat(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts, chat = [await new_host(), await new_host()], await session()
    await hosts[0].turn(chat, "first")
    await worked(hosts[0])
    await break_message(chat, 1, "{")
    [asked, answer] = (await hosts[1].open(chat))["messages"]
    assert (asked.error, answer.error, answer.reasoning) == (None, UNREADABLE, None)
    made = await database.write(forking.fork, hosts[0].user_id, answer.id)
    copied = await database.read(
        lambda: plain.rows("SELECT parts FROM sessions_app_message WHERE parts IS NOT NULL", [])
    )
    assert copied == [("{",), ("{",)]
    for host in hosts:
        assert (await host.turn(made.id, "next")).error_text.endswith(WAY_OUT)
