"""Tools of a session's client: their calls end a turn and wait, and another turn goes on with their results."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.conversations.line_digests import Said
from sessions_app.errors import BadInput, Conflict, NotFound, TooLarge
from sessions_app.llm.content.history import NO_RESULT
from sessions_app.llm.content.parts import ToolCall
from sessions_app.models import AgentProfile, ChatSession, Message, TurnKind, WaitingCall
from sessions_app.session_store import chats, forking
from sessions_app.turn_store.recognising import Heard
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.client_tools import asks, bring, resume, resumed, tools, waiting
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Event, Host, guard_of, idle, said, stands_at, types, within

pytestmark = pytest.mark.one_database

NAMES = ("weather", "search_chats")
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


@pytest.fixture
async def chat(host: Host, session: NewSession) -> UUID:
    """A session whose client has brought the tools `weather` and `search_chats`."""
    chat = await session()
    assert await bring(host, chat, *NAMES)
    return chat


def _is_end(event: Event, run_id: UUID) -> bool:
    told = event["event"]
    return bool(told.get("name") == "turn.ended" and told["value"]["run_id"] == str(run_id))


async def shown(host: Host, chat: UUID) -> list[Any]:
    return list((await host.open(chat))["messages"])


async def asked_in(host: Host, chat: UUID, provider: Provider, *calls: Call) -> None:
    """A turn whose answer calls these tools."""
    provider.script(Answer(["Let me see. "], calls=list(calls)))
    assert (await host.turn(chat, "How is it?")).status == "complete"
    await idle(host)


async def test_a_call_of_the_clients_ends_the_turn_and_waits(host: Host, chat: UUID, provider: Provider) -> None:
    provider.script(Answer(["Let me see. "], calls=[asks("Bonn", "c1")]))
    asked = await host.ask(chat, "Bonn?")
    await host.listener.end_of(asked.run_id)
    assert types(host.listener.run(asked.run_id)) == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT",
        "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]  # fmt: skip
    _, answer = await shown(host, chat)
    [call] = answer.tool_calls
    assert (call.id, call.name, call.client, call.waits, answer.finish) == ("c1", "weather", True, True, None)
    assert answer.ledger is not None
    told = await host.listener.until(
        lambda event: event["event"].get("name") == "message.created" and "tool_calls" in event["event"]["value"]
    )
    assert told["event"]["value"]["tool_calls"][0]["waits"] is True


async def test_a_result_goes_on_with_the_answer(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    provider.script(Answer(["Sunny."]))
    turn = await resumed(host, chat, {"c1": "sun"})
    assert (turn.kind, turn.status, guard_of(turn)[1:]) == (TurnKind.RESUMPTION, "complete", ("kept", "same stamp"))
    assert await said(chat) == [
        ("user", "How is it?", "complete"),
        ("assistant", "Let me see. ", "complete"),
        ("tool", "sun", "complete"),
        ("assistant", "Sunny.", "complete"),
    ]
    assert provider.requests[-1].json["messages"][-1]["content"] == "sun"
    _, answer, result, _ = await shown(host, chat)
    assert (answer.tool_calls[0].client, answer.tool_calls[0].waits) == (True, False)
    assert result.tool_call_id == "c1"
    assert not await database.read(WaitingCall.objects.exists)


async def test_the_hosts_own_calls_of_the_step_are_run(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"), CALCULATE, asks("Rome", "c2"))
    assert await waiting(host, chat) == ["c1", "c2"]
    assert [text for role, text, _ in await said(chat) if role == "tool"] == ["42"]
    provider.script(Answer(["Sunny."]))
    await resumed(host, chat, {"c2": "rain", "c1": "sun"})
    results = [each["content"] for each in provider.requests[-1].json["messages"] if each["role"] == "tool"]
    assert results == ["sun", "42", "rain"]


async def test_a_tool_of_the_profiles_name_is_the_clients(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, Call("search_chats", "{}", "c1"))
    assert await waiting(host, chat) == ["c1"]
    told = {tool["function"]["name"]: tool["function"] for tool in provider.requests[-1].json["tools"]}
    assert list(told) == ["calculator", "remember", "search_chats", "weather"]
    assert told["search_chats"]["description"] == "What search_chats does."
    assert "client" not in provider.bodies[-1].decode()


@pytest.mark.thorough
async def test_several_rounds(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    provider.script(Answer(calls=[asks("Rome", "c2")]), Answer(["Done."]))
    await resumed(host, chat, {"c1": "sun"})
    assert await waiting(host, chat) == ["c2"]
    await resumed(host, chat, {"c2": "rain"})
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]


DO_NOT_FIT: list[tuple[dict[str, str], Any, str]] = [
    ({"c1": "sun"}, BadInput, "c2"),
    ({"c1": "sun", "c2": "rain", "c3": "snow"}, Conflict, "c3"),
    ({"c1": "sun\0", "c2": "rain"}, BadInput, "NUL"),
    ({"c1": "\ud800", "c2": "rain"}, BadInput, "surrogate"),
    ({"c1": "x" * 200_001, "c2": "rain"}, TooLarge, "200,000"),
    ({}, BadInput, "c1, c2"),
]


async def test_results_that_do_not_fit_change_nothing(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"), asks("Rome", "c2"))
    before = await said(chat)
    for results, error, names in DO_NOT_FIT:
        with pytest.raises(error, match=names):
            await resume(host, chat, results)
        assert (await said(chat), await waiting(host, chat)) == (before, ["c1", "c2"])


async def test_where_nothing_waits_a_result_is_a_conflict(host: Host, chat: UUID, provider: Provider) -> None:
    await host.turn(chat)
    with pytest.raises(Conflict):
        await resume(host, chat, {"c1": "sun"})
    with pytest.raises(NotFound):
        await resume(host, UUID(int=1), {"c1": "sun"})


@pytest.mark.both_databases
async def test_of_two_that_bring_results_at_once_one_wins(
    host: Host, new_host: NewHost, chat: UUID, provider: Provider
) -> None:
    other = await new_host()
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    gate = Gate()
    provider.script(Answer(["Sunny."], gates={0: gate}))
    both = await asyncio.gather(
        *(resume(each, chat, {"c1": text}) for each, text in ((host, "sun"), (other, "rain"), (host, "snow"))),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in both) == ["AcceptedTurn", "Conflict", "Conflict"]
    await stands_at(gate)
    gate.open()
    await within(asyncio.gather(*(run.ended.wait() for each in (host, other) for run in each.runner.runs)))
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant", "tool", "assistant"]


async def test_a_person_who_writes_instead_goes_on_without(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    await host.turn(chat, "Never mind.")
    assert [each["content"] for each in provider.requests[-1].json["messages"]][3:] == [NO_RESULT, "Never mind."]
    assert await waiting(host, chat) == []
    with pytest.raises(Conflict):
        await resume(host, chat, {"c1": "sun"})
    _, answer, *_ = await shown(host, chat)
    assert not answer.tool_calls[0].waits


async def test_a_queued_message_does_not_wait_for_the_program(host: Host, chat: UUID, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(calls=[asks("Bonn", "c1")], gates={0: gate}), Answer(["Never mind."]))
    await host.ask(chat, "first")
    await stands_at(gate)
    second = await host.ask(chat, "second")
    gate.open()
    await host.listener.end_of(second.run_id)
    assert [text for _, text, _ in await said(chat)] == ["first", "", "second", "Never mind."]
    assert await waiting(host, chat) == []


async def test_a_stopped_turn_leaves_no_call(host: Host, chat: UUID, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["Let "], calls=[asks("Bonn", "c1")], gates={1: gate}))
    asked = await host.ask(chat)
    await stands_at(gate)
    assert await host.stop(chat, asked.run_id)
    gate.open()
    await idle(host)
    assert await waiting(host, chat) == []
    assert not await database.read(WaitingCall.objects.exists)


@pytest.mark.thorough
async def test_regenerating_and_coming_back_keeps_it_waiting(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    answer = (await shown(host, chat))[1]
    provider.script(Answer(["Without."]))
    again = await within(host.runner.service.regenerate(host.user_id, chat, None))
    await host.listener.end_of(again.asked.run_id)
    await idle(host)
    with pytest.raises(Conflict):
        await resume(host, chat, {"c1": "sun"})
    await host.runner.service.select_branch(host.user_id, answer.id, 50)
    assert await waiting(host, chat) == ["c1"]
    provider.script(Answer(["Sunny."]))
    await resumed(host, chat, {"c1": "sun"})
    assert [text for _, text, _ in await said(chat)][2:] == ["sun", "Sunny."]


@pytest.mark.thorough
async def test_another_answer_of_a_line_with_results_has_them_not(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    provider.script(Answer(["Sunny."]), Answer(["Another."]))
    await resumed(host, chat, {"c1": "sun"})
    again = await within(host.runner.service.regenerate(host.user_id, chat, None))
    await host.listener.end_of(again.asked.run_id)
    assert await said(chat) == [("user", "How is it?", "complete"), ("assistant", "Another.", "complete")]


@pytest.mark.thorough
async def test_an_edit_of_the_question_leaves_the_calls(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    question = (await shown(host, chat))[0]
    provider.script(Answer(["Fine."]))
    edited = await within(host.runner.service.edit_message(host.user_id, question.id, "Hello?", None))
    await host.listener.end_of(edited.asked.run_id)
    assert [text for _, text, _ in await said(chat)] == ["Hello?", "Fine."]


@pytest.mark.thorough
async def test_a_copy_of_the_chat_waits_for_nobody(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    answer = (await shown(host, chat))[1]
    copy = (await database.write(forking.fork, host.user_id, answer.id)).id
    assert (await waiting(host, copy), await waiting(host, chat)) == ([], ["c1"])
    await host.turn(copy, "And now?")
    assert [each["content"] for each in provider.requests[-1].json["messages"]][3:] == [NO_RESULT, "And now?"]
    assert [tool["function"]["name"] for tool in provider.requests[-1].json["tools"]][-1] == "weather"


async def test_no_summary_comes_between_a_call_and_its_result(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    service = host.runner.service
    with pytest.raises(Conflict, match="waited for"):
        await service.compact(host.user_id, chat)
    with pytest.raises(Conflict, match="waited for"):
        await service.write_summary(host.user_id, chat, "mine")
    provider.script(Answer(["Sunny."]), Answer(["the summary"]))
    await resumed(host, chat, {"c1": "sun"})
    asked = await service.compact(host.user_id, chat)
    await host.listener.end_of(asked.run_id)
    assert [role for role, _, _ in await said(chat)] == ["user"]


async def test_deleting_the_chat_deletes_what_waits(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    await host.runner.service.delete_session(host.user_id, chat)
    assert not await database.read(WaitingCall.objects.exists)


@pytest.mark.both_databases
async def test_what_another_program_appends_ends_the_waiting(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))

    def append() -> None:
        last = Message.objects.order_by("position").last()
        assert last is not None
        last.pk, last.position, last.role, last.parts = None, last.position + 1, "user", None
        last.public_id = UUID(int=5)
        last.save(force_insert=True)

    await database.write(append)
    with pytest.raises(Conflict):
        await resume(host, chat, {"c1": "sun"})


@pytest.mark.both_databases
async def test_what_another_program_deletes_does_not_wait(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    await database.write(lambda: Message.objects.filter(role="assistant").delete())
    with pytest.raises(Conflict):
        await resume(host, chat, {"c1": "sun"})


@pytest.mark.usefixtures("hurried")
async def test_a_result_that_comes_while_the_process_stops_is_stored(
    host: Host, new_host: NewHost, chat: UUID, provider: Provider
) -> None:
    other = await new_host()
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    host.runner.launcher.accepting = False
    provider.script(Answer(["Sunny."]))
    asked = await resume(host, chat, {"c1": "sun"})
    assert asked.queued
    await other.listener.until(lambda event: _is_end(event, asked.run_id))
    assert [text for _, text, _ in await said(chat)][2:] == ["sun", "Sunny."]


async def test_a_failed_answer_to_results_is_told_and_can_be_asked_again(
    host: Host, chat: UUID, provider: Provider
) -> None:
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    provider.script(Answer(status=400))
    turn = await resumed(host, chat, {"c1": "sun"})
    assert turn.status == "failed"
    question, *_ = await shown(host, chat)
    assert question.error.code == "provider"
    provider.script(Answer(["Sunny."]))
    await host.turn(chat, "Again?")
    assert [text for _, text, _ in await said(chat)][2:] == ["sun", "Again?", "Sunny."]


async def test_another_profile_keeps_the_clients_tools(host: Host, chat: UUID, provider: Provider) -> None:
    def apply() -> None:
        chat_session = ChatSession.objects.get(pk=chat)
        assert chat_session.profile
        chat_session.profile.system_prompt = "Another."
        chat_session.profile.save()

    await database.write(apply)
    await database.write(chats.apply_profile, host.user_id, chat)
    await asked_in(host, chat, provider, asks("Bonn", "c1"))
    assert provider.requests[-1].json["messages"][0]["content"] == "Another."
    assert await waiting(host, chat) == ["c1"]


async def test_a_client_that_brings_the_same_tools_changes_nothing(host: Host, chat: UUID) -> None:
    assert not await bring(host, chat, "search_chats", "weather")
    assert await bring(host, chat)
    assert await database.read(lambda: ChatSession.objects.get(pk=chat).client_tools) == ""


@pytest.mark.thorough
async def test_results_stand_behind_their_calls_and_no_summary_between(
    host: Host, chat: UUID, provider: Provider
) -> None:
    own = [CALCULATE] * 12
    await asked_in(host, chat, provider, asks("Bonn", "c1"), *own)
    answer = (await shown(host, chat))[1]
    copy = (await database.write(forking.fork, host.user_id, answer.id)).id
    await host.runner.service.write_summary(host.user_id, copy, "mine")
    call = ToolCall("c1", "weather", '{"city": "Bonn"}')
    said_before = (Said("user", "How is it?"), Said("assistant", answer.text, (call,)))
    profile = await database.write(AgentProfile.default)
    heard = Heard(profile.pk, None, (*said_before, Said("tool", "sun", call_id="c1")), str(copy), tools(*NAMES))
    provider.script(Answer(["Sunny."]))
    asked = await within(host.runner.service.converse(host.user_id, heard, None))
    await idle(host)
    assert asked.turn.chat_session_id == copy
    sent = provider.requests[-1].json["messages"][1:]
    assert [each["role"] for each in sent] == ["user", "assistant", *["tool"] * 13]
    assert [each["content"] for each in sent if each["role"] == "tool"] == ["sun", *["42"] * 12]
    [_, _, *results, _] = await shown(host, copy)
    assert {row.tool_call_id for row in results} >= {"c1"}
