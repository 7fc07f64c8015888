"""A summary that stands between a message and its answer: what is asked for again goes on behind it, and finds it.

Thorough: the suite asks of summaries in `test_compacting`, and of their bytes in tests/guard.
"""

from __future__ import annotations

import pytest

from sessions_app import database
from sessions_app.errors import WrongKind
from sessions_app.models import AgentProfile, TurnStatus
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewSession
from tests.turns.host import Host
from tests.turns.steps import edited, regenerated
from tests.turns.summaries import LONG, WINDOW, compacted, rows_of, set_window, summaries_asked

pytestmark = [pytest.mark.one_database, pytest.mark.thorough]


async def test_another_answer_goes_on_behind_its_summary(host: Host, session: NewSession, provider: Provider) -> None:
    await set_window(WINDOW)
    chat = await session()
    asked = 0
    while not await rows_of(chat, "summary"):
        await host.turn(chat, f"question {asked} {LONG}")
        asked += 1
    *_, question, summary, answer = await rows_of(chat)
    assert (question.kind, summary.kind, answer.role) == ("", "summary", "assistant")
    sent = provider.bodies[-1]
    await regenerated(host, chat, answer.public_id)
    assert len(summaries_asked(provider)) == 1
    assert provider.bodies[-1] == sent
    shown = (await host.open(chat))["messages"]
    assert [message.kind for message in shown[-3:]] == [None, "summary", None]
    assert shown[-1].alternatives == [answer.public_id]


async def test_a_summary_of_the_question_is_not_kept(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await host.turn(chat, "question")
    await compacted(host, chat)
    sent = len(await rows_of(chat))
    await regenerated(host, chat)
    assert len(await rows_of(chat)) == sent + 1
    assert b"<summary>" not in provider.bodies[-1]


async def test_a_summary_is_not_edited_as_a_message(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await host.turn(chat, "question")
    await compacted(host, chat)
    [summary] = await rows_of(chat, "summary")
    with pytest.raises(WrongKind, match="said yourself"):
        await edited(host, summary.public_id, "otherwise")


async def test_a_window_that_no_chat_could_have_is_not_learnt(
    host: Host, session: NewSession, provider: Provider
) -> None:
    body = {"error": {"message": "Maximum context length is 10 tokens.", "code": "context_length_exceeded"}}
    chat = await session()
    provider.script(Answer([], status=400, body=body), Answer(["Yes."]))
    assert (await host.turn(chat, "A long story")).error_code == "context"
    assert (await database.read(AgentProfile.default)).learnt_context is None
    assert (await host.turn(chat, "A short one")).status == TurnStatus.COMPLETE
