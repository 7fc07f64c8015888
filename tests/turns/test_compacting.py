"""A chat that outgrows its model's window goes on: what is summarised, when, and what becomes of everything else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from sessions_app import database
from sessions_app.errors import Conflict, NotFound, TooLarge
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.content.codec import decode
from sessions_app.llm.content.parts import Summary
from sessions_app.models import AgentProfile, ChatSession, Message, TurnKind, TurnStatus
from sessions_app.session_store import forking
from sessions_app.turns.compacting import CHANGED
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import ANTHROPIC, CHAT, NewHost, NewSession
from tests.turns.host import Host, stands_at, stored_turn, types, within, worked
from tests.turns.steps import edited, regenerated
from tests.turns.summaries import LONG, WINDOW, compacted, held_at, rows_of, set_window, summaries_asked

pytestmark = pytest.mark.one_database


async def long_chat(host: Host, session: NewSession, provider: Provider, turns: int) -> UUID:
    """A chat of so many long turns."""
    chat = await session()
    for number in range(turns):
        provider.script(Answer([f"answer {number}"]))
        await host.turn(chat, f"question {number} {LONG}")
    return chat


async def test_a_chat_that_outgrows_the_window_goes_on(host: Host, session: NewSession, provider: Provider) -> None:
    await set_window(WINDOW)
    chat = await session()
    turns = [await host.turn(chat, f"question {number} {LONG}") for number in range(20)]
    assert {turn.status for turn in turns} == {TurnStatus.COMPLETE}
    summaries = await rows_of(chat, "summary")
    assert summaries
    assert len(summaries_asked(provider)) == len(summaries)
    assert sum(turn.miss == "compacted" for turn in turns) == len(summaries)
    assert len([row for row in await rows_of(chat) if not row.kind]) == 40
    assert max(len(body) for body in provider.bodies) < WINDOW * 4


async def test_the_summary_is_asked_for_as_the_next_turn_of_the_warm_chat(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 3)
    before = provider.requests[-1].json["messages"]
    provider.script(Answer(["What was said."]))
    turn = await compacted(host, chat)
    asked = provider.requests[-1].json
    assert asked["messages"][: len(before)] == before
    assert len(asked["messages"]) == len(before) + 2
    assert (turn.status, turn.kind, turn.miss) == (TurnStatus.COMPLETE, TurnKind.COMPACTION, "")
    [summary] = await rows_of(chat, "summary")
    assert (summary.text, summary.public_id) == ("What was said.", turn.answer_id)
    await host.turn(chat, "go on")
    sent = provider.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "user"]
    assert "What was said." in sent[1]["content"]


async def test_tabs_are_told_of_a_compaction(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await long_chat(host, session, provider, 1)
    provider.script(Answer(["What was said."]))
    turn = await compacted(host, chat)
    told = types(host.listener.run(turn.run_id))
    assert told == ["RUN_STARTED", "STEP_STARTED", "STEP_FINISHED", "RUN_FINISHED"]
    [summary] = [
        event["event"]["value"]
        for event in host.listener.events
        if event["event"].get("name") == "message.created" and event["event"]["value"]["kind"]
    ]
    assert (summary["kind"], summary["text"], summary["role"]) == ("summary", "What was said.", "user")
    opened = await host.open(chat)
    assert opened["messages"][-1].model_dump(mode="json") | {"ledger": None} == summary | {
        "model": "loopback",
        "ledger": None,
    }
    assert opened["session"].context.tokens is None


@pytest.mark.both_databases
async def test_a_foreign_change_discards_a_summary(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await long_chat(host, session, provider, 2)
    asked, gate = await held_at(host, chat, provider)
    await database.write(lambda: Message.objects.filter(chat_session=chat, position=0).update(text="edited elsewhere"))
    gate.open()
    end = await host.listener.end_of(asked.run_id)
    assert (end["event"]["code"], end["event"]["message"]) == ("conflict", CHANGED)
    assert not await rows_of(chat, "summary")
    await host.turn(chat, "go on")
    assert b"edited elsewhere" in provider.bodies[-1]


async def test_what_is_said_meanwhile_stands_behind_the_summary(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 2)
    _, gate = await held_at(host, chat, provider, Answer(["Yes."]))
    asked = await host.ask(chat, "and now?")
    assert asked.queued
    gate.open()
    await host.listener.end_of(asked.run_id)
    rows = await rows_of(chat)
    assert [(row.kind, row.text) for row in rows[-3:]] == [
        ("summary", "What was said."),
        ("", "and now?"),
        ("", "Yes."),
    ]
    assert provider.bodies[-1].count(b"and now?") == 1


FAILURES = {
    "nothing": (Answer([]), "empty"),
    "broken off": (Answer(["What was", " said."], cut=1), "provider"),
}
MORE_FAILURES = {
    "blank": (Answer(["   "]), "empty"),
    "a tool call": (Answer([], calls=[Call("calculator", '{"expression": "1"}')]), "empty"),
    "too much": (Answer(["many words " * 5_000]), "provider"),
    "refused": (Answer([], status=401), "provider"),
}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        *(pytest.param(*each, id=name) for name, each in FAILURES.items()),
        *(pytest.param(*each, id=name, marks=pytest.mark.thorough) for name, each in MORE_FAILURES.items()),
    ],
)
async def test_a_failing_summary_leaves_the_chat_as_it_was(
    host: Host, session: NewSession, provider: Provider, answer: Answer, code: str
) -> None:
    chat = await long_chat(host, session, provider, 2)
    before = await rows_of(chat)
    last = provider.requests[-1].json["messages"]
    provider.script(answer)
    turn = await compacted(host, chat)
    assert (turn.status, turn.error_code) == (TurnStatus.FAILED, code)
    assert "could not be summarised" in turn.error_text
    assert await rows_of(chat) == before
    later = await host.turn(chat, "go on")
    assert (later.guard_transcript, later.status) == ("kept", TurnStatus.COMPLETE)
    assert provider.requests[-1].json["messages"][: len(last)] == last


async def test_a_stopped_compaction_stores_nothing(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await long_chat(host, session, provider, 2)
    asked, gate = await held_at(host, chat, provider)
    assert await host.stop(chat, asked.run_id)
    gate.open()
    assert (await stored_turn(asked.run_id)).status == TurnStatus.STOPPED
    assert not await rows_of(chat, "summary")


@pytest.mark.thorough
async def test_an_edit_before_the_summary_sends_what_was_said(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 3)
    await compacted(host, chat)
    await host.turn(chat, "go on")
    asked = [row for row in await rows_of(chat) if row.role == "user" and not row.kind]
    await edited(host, asked[2].public_id, "said otherwise")
    sent = provider.bodies[-1]
    assert b"question 1" in sent
    assert b"<summary>" not in sent


async def test_a_regeneration_behind_the_summary_keeps_it(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await long_chat(host, session, provider, 3)
    await compacted(host, chat)
    await host.turn(chat, "go on")
    await host.turn(chat, "and on")
    before = provider.bodies[-1]
    turn = await regenerated(host, chat)
    assert turn.guard_transcript == "kept"
    assert provider.bodies[-1] == before


async def test_a_person_writes_edits_and_undoes_a_summary(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await long_chat(host, session, provider, 2)
    service, user_id = host.runner.service, host.user_id
    await service.write_summary(user_id, chat, "Mine.")
    await host.turn(chat, "one")
    assert b"Mine." in provider.bodies[-1]
    assert b"question 0" not in provider.bodies[-1]
    await service.write_summary(user_id, chat, "Mine, edited.")
    await host.turn(chat, "two")
    sent = provider.requests[-1].json["messages"]
    assert [message["role"] for message in sent[1:]] == ["user", "user", "assistant", "user"]
    assert "Mine, edited." in sent[1]["content"]
    await service.undo_summary(user_id, chat)
    await host.turn(chat, "three")
    assert b"question 0" in provider.bodies[-1]
    assert b"<summary>" not in provider.bodies[-1]
    with pytest.raises(Conflict):
        await service.undo_summary(user_id, chat)


async def test_what_cannot_be_summarised_is_a_conflict(host: Host, session: NewSession, provider: Provider) -> None:
    service, user_id = host.runner.service, host.user_id
    empty = await session()
    for refused in (service.compact(user_id, empty), service.write_summary(user_id, empty, "Mine.")):
        with pytest.raises(Conflict, match="Nothing was said"):
            await refused
    chat = await long_chat(host, session, provider, 1)
    await compacted(host, chat)
    with pytest.raises(Conflict, match="since the last summary"):
        await service.compact(user_id, chat)
    for text in ("Mine.", "Mine, edited."):
        await service.write_summary(user_id, chat, text)
        with pytest.raises(Conflict, match="since the last summary"):
            await service.compact(user_id, chat)
    await service.undo_summary(user_id, chat)
    assert (await compacted(host, chat)).status == TurnStatus.COMPLETE
    with pytest.raises(NotFound):
        await service.compact(user_id, uuid4())


async def test_two_processes_make_one_summary(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    one, other = await new_host(), await new_host()
    chat = await long_chat(one, session, provider, 2)
    await worked(one)
    gate = Gate()
    provider.script(Answer(["What was said."], gates={0: gate}))
    both = [host.runner.service.compact(host.user_id, chat) for host in (one, other)]
    await one.show(chat)
    results = await within(asyncio.gather(*both, return_exceptions=True))
    await stands_at(gate)
    gate.open()
    assert sorted(type(result).__name__ for result in results) == ["AcceptedTurn", "Conflict"]
    [asked] = [result for result in results if not isinstance(result, BaseException)]
    await one.listener.end_of(asked.run_id)
    assert len(await rows_of(chat, "summary")) == 1


async def test_a_message_too_large_for_the_window_is_refused(
    host: Host, session: NewSession, provider: Provider
) -> None:
    await set_window(1_000)
    chat = await session()
    with pytest.raises(TooLarge, match="tokens too long for the model") as refused:
        await host.ask(chat, "word " * 2_000)
    assert 0 < refused.value.data["limit"] < 4_000
    assert not provider.requests
    assert not await rows_of(chat)
    await host.turn(chat, "w" * refused.value.data["limit"])
    assert len(provider.requests) == 1


async def test_a_window_too_small_for_the_prefix_says_so(host: Host, session: NewSession, provider: Provider) -> None:
    await set_window(50)
    turn = await host.turn(await session(), "hello")
    assert (turn.status, turn.error_code) == (TurnStatus.FAILED, "context")
    assert "too small for its system prompt" in turn.error_text
    assert not provider.requests


REFUSAL = {"error": {"message": "This model's maximum context length is 1500 tokens. However, you requested 9000."}}


async def test_a_window_is_learnt_from_a_refusal(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await long_chat(host, session, provider, 3)
    provider.script(
        Answer([], status=400, body=REFUSAL), Answer(["What was said."]), Answer(["Also that."]), Answer(["Yes."])
    )
    turn = await host.turn(chat, "go on")
    assert turn.status == TurnStatus.COMPLETE
    assert await rows_of(chat, "summary")
    profile = await database.read(AgentProfile.default)
    assert (profile.learnt_context, profile.learnt_model) == (1500, profile.effective_model)
    shape = (await host.open(chat))["session"]
    assert shape.context.limit == 1500


@pytest.mark.thorough
async def test_a_refusal_that_names_no_window_is_answered_by_a_summary(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 3)
    refusal = {"error": {"message": "prompt is too long"}}
    provider.script(Answer([], status=400, body=refusal), Answer(["What was said."]), Answer(["Yes."]))
    turn = await host.turn(chat, "go on")
    assert turn.status == TurnStatus.COMPLETE
    assert (await database.read(AgentProfile.default)).learnt_context is None


@pytest.mark.thorough
async def test_a_beginning_that_does_not_fit_is_summarised_in_pieces(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 12)
    await set_window(2_500)
    turn = await host.turn(chat, "go on")
    assert turn.status == TurnStatus.COMPLETE
    assert len(await rows_of(chat, "summary")) > 1
    assert max(map(len, summaries_asked(provider))) < 2_500 * 4.2
    assert b"go on" in provider.bodies[-1]


@pytest.mark.thorough
async def test_an_earlier_message_that_is_too_large_is_shortened_to_be_summarised(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "word " * 5_000)
    await host.turn(chat, "small")
    await set_window(2_500)
    turn = await host.turn(chat, "go on")
    assert turn.status == TurnStatus.COMPLETE
    assert b"characters left out]" in summaries_asked(provider)[0]
    assert (await rows_of(chat))[0].text == "word " * 5_000


@pytest.mark.thorough
async def test_a_tool_loop_that_outgrows_the_window_goes_on(
    host: Host, session: NewSession, provider: Provider
) -> None:
    await set_window(1_400)
    chat = await session()
    steps = [Answer([LONG], calls=[Call("calculator", '{"expression": "6 * 7"}')]) for _ in range(4)]
    provider.script(*steps[:3], Answer(["What was done."]), Answer(["42"]))
    turn = await host.turn(chat, "question 0")
    assert (turn.status, turn.error_text) == (TurnStatus.COMPLETE, "")
    [summary] = await rows_of(chat, "summary")
    [covered] = [part for part in decode(summary.parts) if isinstance(part, Summary)]
    assert covered.asked == 0
    sent = provider.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "user", "assistant", "tool"]
    assert sent[2]["content"] == "question 0"
    later = await host.turn(chat, "and on")
    assert later.guard_transcript == "kept"


async def test_a_fork_and_a_copy_of_the_line_keep_the_summary(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 2)
    await compacted(host, chat)
    await host.turn(chat, "go on")
    last = (await rows_of(chat))[-1]
    copy = await database.write(forking.fork, host.user_id, last.public_id)
    await host.turn(copy.id, "here too")
    sent = provider.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "user", "assistant", "user"]


async def test_a_chat_with_five_summaries_reads_only_what_is_sent(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    host = await new_host()
    chat = await session()
    for number in range(5):
        await host.turn(chat, f"question {number}")
        await compacted(host, chat)
    other = await new_host()
    turn = await other.turn(chat, "go on")
    assert turn.guard_transcript == "read"
    assert len(provider.requests[-1].json["messages"]) == 3


async def grow_old(session_id: UUID, seconds: float) -> None:
    """Make a chat's last request so old."""

    def write() -> None:
        chat = ChatSession.objects.get(pk=session_id)
        last = RequestRecord.from_json(chat.last_request)
        assert last is not None
        older = replace(last, at=last.at - seconds, long_until=last.long_until - seconds)
        ChatSession.objects.filter(pk=session_id).update(last_request=older.to_json())

    await database.write(write)


@pytest.mark.parametrize(("model", "pause", "summaries"), [(ANTHROPIC, 7_200, 1), (ANTHROPIC, 60, 0), (CHAT, 7_200, 0)])
async def test_a_half_full_chat_is_summarised_once_its_cache_is_cold(
    host: Host, session: NewSession, provider: Provider, settings: Any, model: str, pause: float, summaries: int
) -> None:
    settings.HERMES_MODEL = model
    await set_window(4_000)
    chat = await long_chat(host, session, provider, 5)
    await worked(host)
    await grow_old(chat, pause)
    turn = await host.turn(chat, "go on")
    assert (turn.status, len(await rows_of(chat, "summary"))) == (TurnStatus.COMPLETE, summaries)
    assert b"go on" in provider.bodies[-1]


async def test_a_chat_is_not_summarised_while_it_is_answered(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 1)
    gate = Gate()
    provider.script(Answer(["Yes."], gates={0: gate}))
    asked = await host.ask(chat, "go on")
    await stands_at(gate)
    service, user_id = host.runner.service, host.user_id
    for refused in (
        service.compact(user_id, chat),
        service.write_summary(user_id, chat, "Mine."),
        service.undo_summary(user_id, chat),
    ):
        with pytest.raises(Conflict, match="on its way"):
            await refused
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert not await rows_of(chat, "summary")


@pytest.mark.thorough
async def test_a_branch_of_a_summarised_line_is_summarised_by_itself(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await long_chat(host, session, provider, 2)
    await compacted(host, chat)
    await host.turn(chat, "one")
    [first, *_, one] = [row for row in await rows_of(chat) if row.role == "user" and not row.kind]
    await edited(host, one.public_id, "one, said otherwise")
    provider.script(Answer(["Of the branch."]))
    assert (await compacted(host, chat)).status == TurnStatus.COMPLETE
    await host.turn(chat, "two")
    assert b"Of the branch." in provider.bodies[-1]
    await host.runner.service.select_branch(host.user_id, one.public_id, 50)
    await host.turn(chat, "three")
    assert b"Of the branch." not in provider.bodies[-1]
    assert first.text.encode() not in provider.bodies[-1]
