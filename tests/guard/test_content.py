"""A message with content that this release cannot send: its session's turns fail, and nothing is sent without it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.llm.content.codec import decode
from sessions_app.models import Message, TurnStatus
from sessions_app.turn_store import beginning
from tests.guard.oracle import Oracle, stored
from tests.guard.wires import over_chat
from tests.llm.talking import timeless
from tests.providers.fixtures import Provider
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewHost, NewSession
from tests.turns.host import Host, guard_of

FILE = [{"kind": "file", "id": "f", "name": "photo.png", "media_type": "image/png"}]
NEWER = {"version": 2, "parts": [{"kind": "text", "start": 0, "length": 5}]}
UNKNOWN = [{"kind": "audio", "id": "a"}]
CANNOT_READ, CANNOT_SEND = "that this release cannot read", "that cannot be sent to the model whole"


async def give(session_id: UUID, parts: Any, role: str = "user") -> None:
    """Give the first message of a role other parts, as another program would."""

    def update() -> None:
        message = Message.objects.filter(chat_session=session_id, role=role).order_by("position")[0]
        Message.objects.filter(pk=message.pk).update(parts=parts)

    await database.write(update)


@pytest.mark.parametrize(
    ("wire", "parts", "role", "reason"),
    [
        (CHAT, FILE, "user", CANNOT_SEND),
        pytest.param(RESPONSES, FILE, "assistant", CANNOT_SEND, marks=pytest.mark.thorough),
        (ANTHROPIC, NEWER, "assistant", CANNOT_READ),
        pytest.param(CHAT, UNKNOWN, "user", CANNOT_READ, marks=pytest.mark.thorough),
    ],
    indirect=["wire"],
)
async def test_a_turn_over_content_that_cannot_be_sent_fails(
    host: Host, session: NewSession, provider: Provider, wire: str, parts: Any, role: str, reason: str
) -> None:
    chat = await session()
    await host.turn(chat, "first")
    await give(chat, parts, role)
    asked = len(provider.bodies)
    for _ in range(2):
        turn = await host.turn(chat, "next")
        assert (turn.status, turn.error_code) == (TurnStatus.FAILED, "internal")
        assert reason in turn.error_text
    assert len(provider.bodies) == asked
    await give(chat, None, role)
    turn = await host.turn(chat, "last")
    assert turn.status == TurnStatus.COMPLETE
    now = await database.read(stored, chat)
    assert timeless(provider.bodies[-1]) == await Oracle(wire).body(chat, now.prefix, now.rows[:-1])


@over_chat
async def test_it_fails_in_a_long_transcript_that_is_read_anew(
    new_host: NewHost, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await session()
    host = await new_host()
    for number in range(8):
        await host.turn(chat, f"number {number}")
    asked = len(provider.bodies)
    await give(chat, FILE)
    turn = await (await new_host()).turn(chat, "next")
    assert (turn.status, guard_of(turn)[1]) == (TurnStatus.FAILED, "read")
    assert CANNOT_SEND in turn.error_text
    assert len(provider.bodies) == asked


async def test_a_message_begun_with_a_file_is_not_sent_without_it(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    await host.turn(chat, "first")
    asked = len(provider.bodies)
    # No command takes a file that holds nothing.
    monkeypatch.setattr(beginning, "decode", lambda stored: decode(FILE))
    turn = await host.turn(chat, "look")
    assert guard_of(turn) == ("reused", "kept", "same stamp")
    assert (turn.status, len(provider.bodies)) == (TurnStatus.FAILED, asked)
    assert CANNOT_SEND in turn.error_text


@pytest.mark.parametrize("parts", [FILE, NEWER, UNKNOWN])
async def test_its_text_is_shown_all_the_same(host: Host, session: NewSession, parts: Any) -> None:
    chat = await session()
    await host.turn(chat, "first")
    await give(chat, parts)
    opened = await host.open(chat)
    assert opened["messages"][0].text == "first"
