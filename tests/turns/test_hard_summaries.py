"""What may go wrong around a summary: a chat goes on all the same, with what it needs and no more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.models import Message, TurnStatus
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import ANTHROPIC, NewSession
from tests.turns.host import Host, worked
from tests.turns.steps import regenerated
from tests.turns.summaries import compacted, rows_of, set_window, summaries_asked
from tests.turns.test_compacting import grow_old, long_chat


@pytest.mark.parametrize(
    "summary",
    [Answer([], calls=[Call("calculator", '{"expression": "1"}')]), Answer([], status=400)],
    ids=["a tool call", "refused"],
)
async def test_a_chat_that_fits_goes_on_without_a_summary(
    host: Host, session: NewSession, provider: Provider, settings: Any, summary: Answer
) -> None:
    settings.HERMES_MODEL = ANTHROPIC
    await set_window(4_000)
    chat = await long_chat(host, session, provider, 5)
    await worked(host)
    await grow_old(chat, 7_200)
    provider.script(summary, Answer(["Yes."]))
    turn = await host.turn(chat, "go on")
    assert (turn.status, turn.error_text) == (TurnStatus.COMPLETE, "")
    assert len(summaries_asked(provider)) == 1
    assert b"question 0" in provider.bodies[-1]


async def moved(session_id: UUID, places: int) -> None:
    """Have another program move all messages of a chat."""

    def write() -> None:
        rows = Message.objects.filter(chat_session=session_id).order_by("-position" if places > 0 else "position")
        for row in rows:
            Message.objects.filter(pk=row.pk).update(position=row.position + places)

    await database.write(write)


@pytest.mark.parametrize("places", [-100, 100])
async def test_what_is_said_after_a_summary_was_moved_is_sent(
    host: Host, session: NewSession, provider: Provider, places: int
) -> None:
    chat = await long_chat(host, session, provider, 2)
    await moved(chat, 100)
    await compacted(host, chat)
    await moved(chat, places)
    await host.turn(chat, "one")
    await host.turn(chat, "two")
    sent = provider.requests[-1].json["messages"]
    assert [message["content"] for message in sent if message["role"] == "user"][-2:] == ["one", "two"]
    assert b"<summary>" in provider.bodies[-1]


async def test_an_answer_is_shown_again_when_another_one_fails_after_its_summary(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 3)
    before = (await host.open(chat))["messages"]
    await set_window(1_500)
    provider.script(Answer(["What was said."]), Answer([], status=401))
    turn = await regenerated(host, chat)
    assert (turn.status, len(summaries_asked(provider))) == (TurnStatus.FAILED, 1)
    after = (await host.open(chat))["messages"]
    assert [message.id for message in after] == [message.id for message in before]
    assert not after[-1].alternatives
    assert not await rows_of(chat, "summary")
    await set_window(None)
    await host.turn(chat, "go on")
    assert b"<summary>" not in provider.bodies[-1]
