"""What may go wrong around a summary: a chat goes on all the same, with what it needs and no more."""

from __future__ import annotations

from typing import Any

import pytest

from sessions_app.models import TurnStatus
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import ANTHROPIC, NewSession
from tests.turns.host import Host, worked
from tests.turns.summaries import set_window, summaries_asked
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
