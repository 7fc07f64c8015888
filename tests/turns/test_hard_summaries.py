"""What may go wrong around a summary: a chat goes on all the same, with what it needs and no more.

All of it is thorough: that a summary fails, is stopped or discarded, and that a chat outgrows its window, the suite
asks in test_compacting.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.errors import TooLarge
from sessions_app.llm import demo
from sessions_app.llm.content.codec import decode
from sessions_app.llm.content.parts import Summary
from sessions_app.models import AgentProfile, ChatSession, Message, TurnStatus
from sessions_app.turn_store import compacting, recovery
from sessions_app.turn_store.message_ids import AcceptedTurn
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewSession
from tests.turns.host import Host, stored_turn, worked
from tests.turns.steps import regenerated
from tests.turns.summaries import LONG, compacted, rows_of, set_window, summaries_asked
from tests.turns.test_compacting import grow_old, long_chat

pytestmark = [pytest.mark.one_database, pytest.mark.thorough]


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


async def test_a_chat_goes_on_and_on_with_a_model_whose_wire_is_not_known(
    host: Host, session: NewSession, settings: Any
) -> None:
    settings.HERMES_MODEL = "demo"
    await set_window(1_500)
    chat = await session()
    for number in range(6):
        turn = await host.turn(chat, f"question {number} {LONG}")
        assert (turn.status, turn.error_text) == (TurnStatus.COMPLETE, "")
    assert len(await rows_of(chat, "summary")) == 5


async def test_a_chat_whose_last_answer_never_came_is_summarised(
    host: Host, session: NewSession, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HERMES_MODEL = "demo"
    await set_window(10_000)
    chat = await session()
    await host.turn(chat, "one")
    monkeypatch.setattr(demo, "WELCOME", " ")
    assert (await host.turn(chat, "two")).status == TurnStatus.FAILED
    monkeypatch.undo()
    turn = await compacted(host, chat)
    assert (turn.status, turn.error_text) == (TurnStatus.COMPLETE, "")
    *_, last, summary = await rows_of(chat)
    assert [part.before for part in decode(summary.parts) if isinstance(part, Summary)] == [last.position + 1]


async def test_a_chat_that_was_emptied_meanwhile_has_nothing_to_summarise(
    host: Host, session: NewSession, provider: Provider
) -> None:
    await set_window(4_000)
    chat = await long_chat(host, session, provider, 1)
    await worked(host)

    def ask_and_empty() -> AcceptedTurn:
        asked = compacting.ask(host.user_id, chat, process="", accepting=False)
        Message.objects.filter(chat_session=chat).delete()
        return asked

    asked = await database.write(ask_and_empty)
    process = host.runner.process
    begun = await database.write(recovery.begin_waiting, host.user_id, chat, process)
    assert begun is not None
    host.runner.launcher.launch(begun)
    await host.listener.end_of(asked.run_id)
    assert (await stored_turn(asked.run_id)).error_text == ""
    assert not summaries_asked(provider)
    assert not await rows_of(chat)


@pytest.mark.parametrize(("pause", "kept"), [(7_200.0, None), (60.0, {"type": "ephemeral", "ttl": "5m"})])
async def test_a_prompt_that_is_sent_for_the_last_time_is_not_kept_anew(
    host: Host, session: NewSession, provider: Provider, settings: Any, pause: float, kept: Any
) -> None:
    settings.HERMES_MODEL = ANTHROPIC
    chat = await long_chat(host, session, provider, 3)
    await worked(host)
    await grow_old(chat, pause)
    turn = await compacted(host, chat)
    assert turn.status == TurnStatus.COMPLETE
    assert provider.requests[-1].json.get("cache_control") == kept
    assert (turn.cached_tokens > 1_000) == (kept is not None)


async def test_a_message_that_fits_behind_a_summary_is_sent_after_a_refusal(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 1)
    refusal = {"error": {"message": "prompt is too long"}}
    provider.script(Answer([], status=400, body=refusal), Answer(["What was said."]), Answer(["Yes."]))
    turn = await host.turn(chat, "word " * 2_400)
    assert (turn.status, turn.error_text) == (TurnStatus.COMPLETE, "")


async def test_a_window_that_holds_not_even_the_prefix_is_not_learnt(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 1)
    refusal = {"error": {"message": "maximum context length is 64 tokens"}}
    provider.script(Answer([], status=400, body=refusal), Answer(["What was said."]), Answer(["Yes."]))
    assert (await host.turn(chat, "go on")).status == TurnStatus.COMPLETE
    assert (await database.read(AgentProfile.default)).learnt_context is None
    assert (await host.turn(await session(), "hello")).status == TurnStatus.COMPLETE


async def test_a_written_summary_too_large_for_the_window_is_refused(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 1)
    await set_window(2_000)
    service, user_id = host.runner.service, host.user_id
    with pytest.raises(TooLarge, match="tokens too long for the model"):
        await service.write_summary(user_id, chat, "word " * 4_000)
    assert not await rows_of(chat, "summary")


@pytest.mark.parametrize("other", [RESPONSES, ANTHROPIC])
async def test_thoughts_that_go_to_no_other_model_count_for_none(
    host: Host, session: NewSession, provider: Provider, settings: Any, other: str
) -> None:
    chat = await session()
    for number in range(5):
        provider.script(Answer([f"answer {number}"], reasoning=["so many thoughts " * 500]))
        await host.turn(chat, f"question {number}")
    await set_window(8_000)
    settings.HERMES_MODEL = other
    turn = await host.turn(chat, "go on")
    assert turn.status == TurnStatus.COMPLETE
    assert not summaries_asked(provider)
    assert len(provider.requests) == 6


@pytest.mark.parametrize("wire", [CHAT, ANTHROPIC])
async def test_huge_arguments_of_a_call_are_shortened_to_be_summarised(
    host: Host, session: NewSession, provider: Provider, settings: Any, wire: str
) -> None:
    settings.HERMES_MODEL = wire
    chat = await session()
    huge = json.dumps({"expression": "1+" * 10_000 + "1"})
    provider.script(Answer([], calls=[Call("calculator", huge)]), Answer(["Many."]))
    await host.turn(chat, "how many?")
    await set_window(2_500)
    provider.script(Answer(["What was said."]), Answer(["What was done."]), Answer(["Yes."]))
    turn = await host.turn(chat, "go on")
    assert (turn.status, turn.error_text) == (TurnStatus.COMPLETE, "")
    [_, asked] = summaries_asked(provider)
    assert b"characters left out]" in asked
    assert len(asked) < 2_500 * 4


async def test_a_window_that_the_prefix_nearly_fills_is_an_error(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    prefix = await database.read(lambda: len(ChatSession.objects.get(pk=chat).frozen_prefix) // 4)
    await set_window(int(prefix * 1.2))
    turn = await host.turn(chat, "hello")
    assert (turn.status, turn.error_code) == (TurnStatus.FAILED, "context")
    [least] = re.findall(r"at least ([\d,]+)\.", turn.error_text)
    assert not provider.requests
    await set_window(int(least.replace(",", "")) + 10)
    assert (await host.turn(chat, "hello")).status == TurnStatus.COMPLETE
    assert not summaries_asked(provider)


async def test_a_chat_of_which_only_results_are_left_is_summarised(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(Answer([], calls=[Call("calculator", '{"expression": "1"}')]), Answer(["1"]))
    await host.turn(chat, "hello")
    await database.write(lambda: Message.objects.filter(chat_session=chat).exclude(role="tool").delete())
    assert (await compacted(host, chat)).status == TurnStatus.COMPLETE
    assert len(await rows_of(chat, "summary")) == 1


async def test_a_summary_after_many_thoughts_is_taken(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await long_chat(host, session, provider, 1)
    provider.script(Answer(["What was said."], reasoning=["so many thoughts " * 3_000]))
    turn = await compacted(host, chat)
    assert (turn.status, turn.error_text) == (TurnStatus.COMPLETE, "")
    [summary] = await rows_of(chat, "summary")
    assert summary.text == "What was said."


async def test_a_summary_too_large_for_another_window_is_summarised_again(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 2)
    provider.script(Answer(["many words " * 3_000]))
    await compacted(host, chat)
    await set_window(3_000)
    provider.script(Answer(["Few words."]), Answer(["Yes."]))
    turn = await host.turn(chat, "go on")
    assert turn.status == TurnStatus.COMPLETE
    assert max(map(len, provider.bodies[-2:])) < 3_000 * 4
    sent = provider.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "user"]
    assert "Few words." in sent[1]["content"]


async def test_an_answer_behind_its_summary_stands_beside_the_first(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 3)
    [*_, answer] = await rows_of(chat)
    await set_window(1_500)
    assert (await regenerated(host, chat)).status == TurnStatus.COMPLETE
    *_, summary, other = (await host.open(chat))["messages"]
    assert (summary.kind, summary.alternatives) == ("summary", [])
    assert (other.alternatives, other.place) == ([answer.public_id], 2)
    told = [
        event["event"]["value"] for event in host.listener.events if event["event"].get("name") == "message.created"
    ]
    assert told[-1]["alternatives"] == [str(answer.public_id)]
