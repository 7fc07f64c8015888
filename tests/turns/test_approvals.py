"""Calls that a person must approve: they end the turn and wait, and another turn goes on with the decision."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from sessions_app import database, journal
from sessions_app.conversations import lost_calls
from sessions_app.conversations.line_digests import Said
from sessions_app.conversations.transcript import OwnershipLost
from sessions_app.errors import BadInput, Conflict, NotFound
from sessions_app.llm.tools.sources import Standing
from sessions_app.models import (
    AgentProfile,
    Approval,
    AuditEntry,
    Message,
    StandingApproval,
    ToolServer,
    TurnKind,
    WaitingCall,
)
from sessions_app.session_store import forking
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.listing import OfferedTool
from sessions_app.turn_store import approving
from sessions_app.turn_store.deciding import GivenDecision
from sessions_app.turn_store.recognising import Heard
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, idle, said, stands_at, stored_turn, types, within, worked
from tests.turns.tool_server import (
    MailServer,
    decide,
    decided,
    give_tools,
    send,
    sends,
    serve,
    stored_approvals,
    waiting,
)

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}', "s1")


@pytest.fixture
def server(host: Host) -> MailServer:
    server = MailServer()
    serve(host, server)
    return server


@pytest.fixture
async def chat(server: MailServer, session: NewSession) -> UUID:
    """A session with tools that need a person's word."""
    chat = await session()
    await give_tools(chat)
    return chat


async def asked_in(host: Host, chat: UUID, provider: Provider, *calls: Call) -> None:
    """A turn whose answer calls these tools."""
    provider.script(Answer(["Let me see. "], calls=list(calls)))
    assert (await host.turn(chat, "Write to Bo.")).status == "complete"
    await idle(host)


async def test_a_call_that_needs_approval_ends_the_turn(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    provider.script(Answer(["Let me see. "], calls=[sends("Bo", "c1")]))
    asked = await host.ask(chat, "Write to Bo.")
    end = await host.listener.end_of(asked.run_id)
    [approval] = await waiting(host, chat)
    [interrupt] = end["event"]["outcome"]["interrupts"]
    assert end["event"]["outcome"]["type"] == "interrupt"
    assert (interrupt["id"], interrupt["reason"]) == (str(approval.public_id), "tool_approval")
    assert interrupt["toolCallId"] == "c1"
    assert types(host.listener.run(asked.run_id))[-3:] == ["TOOL_CALL_END", "TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert server.made == []
    await idle(host)
    [shape] = (await host.open(chat))["approvals"]
    assert (shape.id, shape.run_id, shape.tool_call_id) == (approval.public_id, asked.run_id, "c1")
    assert (shape.tool, shape.arguments, shape.decision) == ("mail_send", '{"to":"Bo"}', None)
    assert await host.listener.fact("approval.waiting") == shape.model_dump(mode="json")


async def test_an_approved_call_is_made_once(host: Host, chat: UUID, server: MailServer, provider: Provider) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    provider.script(Answer(["Sent."]))
    turn = await decided(host, chat, {"c1": True})
    assert (turn.kind, turn.status, guard_of(turn)[1:]) == (TurnKind.RESUMPTION, "complete", ("kept", "same stamp"))
    assert await said(chat) == [
        ("user", "Write to Bo.", "complete"),
        ("assistant", "Let me see. ", "complete"),
        ("tool", "mail_send done", "complete"),
        ("assistant", "Sent.", "complete"),
    ]
    assert server.made == [("mail_send", '{"to":"Bo"}')]
    assert provider.requests[-1].json["messages"][-1]["content"] == "mail_send done"
    [approval] = await stored_approvals()
    assert (approval.decision, approval.state, approval.decided_by_id) == ("approved", "done", host.user_id)
    assert approval.resumed_by_id == turn.pk
    assert (approval.decided_at <= approval.begun_at <= approval.ended_at) is True  # type: ignore[operator]
    assert not await database.read(WaitingCall.objects.exists)
    told = await host.listener.fact("approval.decided")
    assert (told["decision"], told["tool_call_id"]) == ("approved", "c1")
    row = await database.read(AuditEntry.objects.get, action="approval.decided")
    about = {"session": str(chat), "tool": "mail_send", "decision": "approved", "always": False}
    assert (row.object_id, json.loads(row.details)) == (str(approval.public_id), about)
    assert (await host.open(chat))["approvals"] == []


async def test_a_refused_call_is_not_made_and_the_note_is_told(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    turn = await decided(host, chat, {"c1": False}, note="Not to Bo.")
    told = f"{approving.REFUSED} They say: Not to Bo."
    assert (turn.status, guard_of(turn)[1:]) == ("complete", ("kept", "same stamp"))
    assert provider.requests[-1].json["messages"][-1]["content"] == told
    assert server.made == []
    [approval] = await stored_approvals()
    assert (approval.decision, approval.state, approval.note) == ("refused", "none", "Not to Bo.")
    [answer] = [each for each in (await host.open(chat))["messages"] if each.tool_calls]
    assert (answer.tool_calls[0].approval, answer.tool_calls[0].note) == ("refused", "Not to Bo.")


async def test_calls_of_one_step_are_decided_together(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    calls = [sends("Bo", "c1"), CALCULATE, sends("Al", "c2", "mail_delete"), sends("Cy", "c3", "mail_read")]
    await asked_in(host, chat, provider, *calls)
    assert [each.tool_call_id for each in await waiting(host, chat)] == ["c1", "c2"]
    assert [text for role, text, _ in await said(chat) if role == "tool"] == ["42", "mail_read done"]
    with pytest.raises(BadInput) as missing:
        await decide(host, chat, {"c1": True})
    assert str((await waiting(host, chat))[1].public_id) in missing.value.text
    assert [made for made, _ in server.made] == ["mail_read"]
    await decided(host, chat, {"c1": True, "c2": False})
    results = [each["content"] for each in provider.requests[-1].json["messages"] if each["role"] == "tool"]
    assert results == ["mail_send done", "42", approving.REFUSED, "mail_read done"]


async def test_what_does_not_wait_cannot_be_decided(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    [approval] = await waiting(host, chat)
    given, unknown = GivenDecision(approval.public_id, True), GivenDecision(uuid4(), True)
    for some in ([unknown], [given, unknown]):
        with pytest.raises(NotFound):
            await send(host, chat, some)
    with pytest.raises(NotFound):
        await within(host.runner.service.decide(host.user_id, uuid4(), [given]))
    asked = await send(host, chat, [given])
    await host.listener.end_of(asked.run_id)
    with pytest.raises(Conflict) as again:
        await send(host, chat, [given])
    told = {"approval_id": str(approval.public_id), "decision": "approved", "run_id": str(asked.run_id)}
    assert again.value.data["approvals"] == [told]


@pytest.mark.both_databases
async def test_of_two_that_decide_at_once_one_wins(
    host: Host, new_host: NewHost, chat: UUID, server: MailServer, provider: Provider
) -> None:
    other = await new_host()
    serve(other, server)
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    [approval] = await waiting(host, chat)
    given = [GivenDecision(approval.public_id, True)]
    both = await asyncio.gather(*(send(each, chat, given) for each in (host, other, host)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["AcceptedTurn", "Conflict", "Conflict"]
    [won] = [each for each in both if not isinstance(each, BaseException)]
    await host.listener.end_of(won.run_id)
    assert len(server.made) == 1
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant", "tool", "assistant"]


async def test_who_says_something_else_refuses(host: Host, chat: UUID, server: MailServer, provider: Provider) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    [approval] = await waiting(host, chat)
    turn = await host.turn(chat, "Never mind.")
    assert guard_of(turn)[1:] == ("kept", "same stamp")
    contents = [each["content"] for each in provider.requests[-1].json["messages"]]
    assert contents[3:] == [approving.NOT_ANSWERED, "Never mind."]
    assert (await waiting(host, chat), server.made) == ([], [])
    assert (await host.listener.fact("approval.decided"))["decision"] == "refused"
    with pytest.raises(Conflict):
        await send(host, chat, [GivenDecision(approval.public_id, True)])


@pytest.mark.parametrize("between", [pytest.param((), marks=pytest.mark.thorough), ("Never mind.", "Fine.")])
async def test_a_program_that_goes_on_refuses(
    host: Host, chat: UUID, server: MailServer, provider: Provider, between: tuple[str, ...]
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    profile = await database.write(AgentProfile.default)
    texts = ("Write to Bo.", "Let me see.", *between, "And now?")
    sent = tuple(Said(("user", "assistant")[number % 2], text) for number, text in enumerate(texts))
    asked = await within(host.runner.service.converse(host.user_id, Heard(profile.pk, None, sent, str(chat)), None))
    assert asked.turn.chat_session_id == chat
    await host.listener.end_of(asked.run_id)
    await idle(host)
    contents = [each["content"] for each in provider.requests[-1].json["messages"]]
    assert contents[3:] == [approving.NOT_ANSWERED, *between, "And now?"]
    assert (server.made, (await host.open(chat))["approvals"]) == ([], [])


async def test_queued_turns_wait_for_the_decision(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(calls=[sends("Bo", "c1")], gates={0: gate}))
    first = await host.ask(chat, "first")
    await stands_at(gate)
    second = await host.ask(chat, "second")
    gate.open()
    await host.listener.end_of(first.run_id)
    await idle(host)
    await host.runner.supervisor.look()
    opened = await host.open(chat)
    assert [each.run_id for each in opened["queued"]] == [second.run_id]
    assert len(opened["approvals"]) == 1
    provider.script(Answer(["Sent."]), Answer(["Yes?"]))
    await decide(host, chat, {"c1": True})
    await host.listener.end_of(second.run_id)
    assert [text for _, text, _ in await said(chat)] == ["first", "", "mail_send done", "Sent.", "second", "Yes?"]


@pytest.mark.thorough
async def test_a_later_message_refuses_and_the_queued_one_is_first(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(calls=[sends("Bo", "c1")], gates={0: gate}), Answer(["Two."]), Answer(["Three."]))
    first = await host.ask(chat, "first")
    await stands_at(gate)
    await host.ask(chat, "second")
    gate.open()
    await host.listener.end_of(first.run_id)
    await idle(host)
    third = await host.ask(chat, "third")
    await host.listener.end_of(third.run_id)
    texts = [text for _, text, _ in await said(chat)]
    assert texts == ["first", "", approving.NOT_ANSWERED, "second", "Two.", "third", "Three."]
    assert server.made == []


async def test_always_approves_later_calls_of_the_tool_here(
    host: Host, chat: UUID, server: MailServer, session: NewSession, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    await decided(host, chat, {"c1": True}, always=True)
    provider.script(Answer(calls=[sends("Al")]), Answer(["Sent."]))
    await host.turn(chat, "And to Al.")
    assert [arguments for _, arguments in server.made] == ['{"to":"Bo"}', '{"to":"Al"}']
    [standing] = await database.read(lambda: list(StandingApproval.objects.values_list("chat_session", "tool")))
    assert standing == (chat, "mail_send")
    await asked_in(host, chat, provider, sends("Cy", "c3", "mail_delete"))
    assert [each.tool for each in await waiting(host, chat)] == ["mail_delete"]
    elsewhere = await session()
    await give_tools(elsewhere)
    await asked_in(host, elsewhere, provider, sends("Di", "c4"))
    assert [each.tool for each in await waiting(host, elsewhere)] == ["mail_send"]


async def add_server_of_the_same_name() -> None:
    """An operator has removed the server of the session's tools, and named another one as it was."""

    def add() -> None:
        made = ToolServer.objects.create(name="mail", url="https://other.example/mcp")
        offers.record(made, [OfferedTool("send", "Sends.", "{}")])

    await database.write(add)


@pytest.mark.thorough
async def test_always_is_not_said_of_another_servers_tool(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    await decided(host, chat, {"c1": True}, always=True)
    await add_server_of_the_same_name()
    for call in ("c2", "c3"):
        await asked_in(host, chat, provider, sends("Al", call))
        assert len(server.made) == 1
    await decided(host, chat, {"c3": True}, always=True)
    provider.script(Answer(calls=[sends("Cy")]), Answer(["Sent."]))
    await host.turn(chat, "And to Cy.")
    assert len(server.made) == 3


async def test_an_approval_is_not_of_another_servers_tool(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    await add_server_of_the_same_name()
    await decided(host, chat, {"c1": True})
    assert server.made == []
    assert provider.requests[-1].json["messages"][-1]["content"] == approving.REPLACED
    assert [each.state for each in await stored_approvals()] == ["not_made"]


async def test_a_tool_that_was_switched_off_meanwhile_is_not_called(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    server.standings["mail_send"] = Standing.OFF
    await decided(host, chat, {"c1": True})
    assert server.made == []
    assert provider.requests[-1].json["messages"][-1]["content"] == "Error: the tool mail_send is switched off."
    server.standings["mail_read"] = Standing.OFF
    provider.script(Answer(calls=[sends("Cy", "c2", "mail_read")]), Answer(["Well."]))
    await host.turn(chat, "Read it.")
    assert (await said(chat))[-2][1] == "Error: the tool mail_read is switched off."


@pytest.mark.thorough
async def test_a_call_that_fails_is_told_and_counts_as_made(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("nobody", "c1"))
    await decided(host, chat, {"c1": True})
    assert (await said(chat))[2][1] == "Error: there is no such address."
    assert [each.state for each in await stored_approvals()] == ["done"]


async def test_arguments_changed_after_they_were_shown_are_not_approved(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))

    def change() -> None:
        answer = Message.objects.get(role="assistant")
        answer.parts = [{**part, **({"arguments": "{}"} if part["kind"] == "call" else {})} for part in answer.parts]
        answer.save()

    await database.write(change)
    with pytest.raises(Conflict):
        await decide(host, chat, {"c1": True})
    assert server.made == []


async def test_stopping_amid_a_call_says_that_nobody_knows(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    server.holds.clear()
    asked = await decide(host, chat, {"c1": True})
    await within(server.began.wait())
    assert await host.stop(chat, asked.run_id)
    await idle(host)
    assert [text for _, text, _ in await said(chat)][2:] == [lost_calls.UNKNOWN]
    assert [each.state for each in await stored_approvals()] == ["unknown"]
    server.holds.set()
    turn = await host.turn(chat, "And?")
    assert guard_of(turn)[1:] == ("kept", "same stamp")
    assert len(server.made) == 1


@pytest.mark.thorough
async def test_stopping_amid_a_call_that_needs_nobodys_word(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    server.holds.clear()
    provider.script(Answer(["Let me see. "], calls=[sends("Bo", "c1", "mail_read")]), Answer(["I see."]))
    asked = await host.ask(chat, "Read it.")
    await within(server.began.wait())
    assert await host.stop(chat, asked.run_id)
    await idle(host)
    answer, result = (await said(chat))[1:]
    assert (answer, result[1]) == (("assistant", "Let me see. ", "stopped"), lost_calls.UNKNOWN)
    turn = await host.turn(chat, "And?")
    assert guard_of(turn)[1:] == ("kept", "same stamp")
    assert provider.requests[-1].json["messages"][-2]["content"] == lost_calls.UNKNOWN


@pytest.mark.thorough
async def test_a_decision_withdrawn_before_it_begins_makes_no_call(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    host.runner.launcher.accepting = False
    asked = await decide(host, chat, {"c1": True})
    assert asked.queued
    assert await host.stop(chat, asked.run_id)
    host.runner.launcher.accepting = True
    await host.turn(chat, "Never mind.")
    assert server.made == []
    assert (await said(chat))[2][1] == approving.NOT_MADE


@pytest.mark.thorough
async def test_a_decision_while_the_process_stops_is_carried_out_by_another(
    host: Host, new_host: NewHost, chat: UUID, server: MailServer, provider: Provider
) -> None:
    other, second = await new_host(), None
    serve(other, server)
    gate = Gate()
    provider.script(Answer(calls=[sends("Bo", "c1")], gates={0: gate}), Answer(["Sent."]), Answer(["Two."]))
    first = await host.ask(chat, "first")
    await stands_at(gate)
    second = await host.ask(chat, "second")
    gate.open()
    await host.listener.end_of(first.run_id)
    await idle(host)
    host.runner.launcher.accepting = False
    asked = await decide(host, chat, {"c1": True})
    assert asked.queued
    await other.show(chat)
    await other.runner.supervisor.look()
    await other.listener.end_of(second.run_id)
    texts = [text for _, text, _ in await said(chat)]
    assert texts == ["first", "", "mail_send done", "Sent.", "second", "Two."]
    assert len(server.made) == 1


@pytest.mark.thorough
async def test_another_answer_leaves_the_call_waiting_on_its_line(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    [approval] = await waiting(host, chat)
    answer = (await host.open(chat))["messages"][1]
    provider.script(Answer(["Without."]))
    again = await within(host.runner.service.regenerate(host.user_id, chat, None))
    await host.listener.end_of(again.asked.run_id)
    await idle(host)
    assert (await host.open(chat))["approvals"] == []
    with pytest.raises(Conflict):
        await send(host, chat, [GivenDecision(approval.public_id, True)])
    await host.runner.service.select_branch(host.user_id, answer.id, 50)
    assert len((await host.open(chat))["approvals"]) == 1
    await decided(host, chat, {"c1": True})
    assert len(server.made) == 1


@pytest.mark.thorough
async def test_another_answer_after_the_call_asks_again(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    await decided(host, chat, {"c1": True})
    provider.script(Answer(calls=[sends("Bo", "c2")]))
    again = await within(host.runner.service.regenerate(host.user_id, chat, None))
    await host.listener.end_of(again.asked.run_id)
    assert [each.tool_call_id for each in await waiting(host, chat)] == ["c2"]
    assert len(server.made) == 1


@pytest.mark.thorough
async def test_a_copy_of_the_chat_waits_for_nobody_and_asks_again(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    await decided(host, chat, {"c1": True}, always=True)
    await asked_in(host, chat, provider, sends("Al", "c2", "mail_delete"))
    answer = (await host.open(chat))["messages"][-1]
    copy = (await database.write(forking.fork, host.user_id, answer.id)).id
    assert (await host.open(copy))["approvals"] == []
    provider.script(Answer(calls=[sends("Cy", "c3")]))
    await host.turn(copy, "And to Cy.")
    assert [each.tool_call_id for each in await waiting(host, copy)] == ["c3"]
    assert len(server.made) == 1


async def test_no_summary_is_made_while_a_person_is_waited_for(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    with pytest.raises(Conflict, match="waited for"):
        await host.runner.service.compact(host.user_id, chat)


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
async def test_what_another_program_appends_ends_the_waiting(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    [approval] = await waiting(host, chat)

    def append() -> None:
        last = Message.objects.order_by("position").last()
        assert last is not None
        last.pk, last.position, last.role, last.parts = None, last.position + 1, "user", None
        last.public_id = UUID(int=5)
        last.save(force_insert=True)

    await database.write(append)
    assert (await host.open(chat))["approvals"] == []
    with pytest.raises(Conflict):
        await send(host, chat, [GivenDecision(approval.public_id, True)])


async def test_a_user_who_may_no_longer_act_decides_nothing(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    [approval] = await waiting(host, chat)
    users = get_user_model().objects.filter(pk=host.user_id)
    await database.write(lambda: users.update(is_active=False))
    with pytest.raises(NotFound):
        await send(host, chat, [GivenDecision(approval.public_id, True)])
    assert server.made == []


async def test_a_decision_of_a_user_who_may_no_longer_act_is_withdrawn(
    host: Host, new_host: NewHost, chat: UUID, server: MailServer, provider: Provider
) -> None:
    other = await new_host()
    serve(other, server)
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    host.runner.launcher.accepting = False
    asked = await decide(host, chat, {"c1": True})
    users = get_user_model().objects.filter(pk=host.user_id)
    await database.write(lambda: users.update(is_active=False))
    await other.runner.supervisor.look()
    await worked(other)
    assert ((await stored_turn(asked.run_id)).status, server.made) == ("withdrawn", [])
    assert [each.state for each in await stored_approvals()] == ["not_made"]
    assert (await said(chat))[-1][1] == approving.NOT_MADE


async def test_what_waits_for_a_user_who_may_no_longer_act_is_refused(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    """So it does not wait when they may act again; nobody is told to have decided it."""
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    [approval] = await waiting(host, chat)
    users = get_user_model().objects.filter(pk=host.user_id)
    await database.write(lambda: users.update(is_active=False))
    await host.runner.supervisor.look()
    await database.write(lambda: users.update(is_active=True))
    with pytest.raises(Conflict):
        await send(host, chat, [GivenDecision(approval.public_id, True)])
    [stored] = await stored_approvals()
    assert (stored.decision, stored.decided_by_id, stored.state) == ("refused", None, "none")
    assert (await host.open(chat))["approvals"] == []
    await host.turn(chat, "And now?")
    assert extends(provider.bodies[-1], provider.bodies[-2])
    contents = [each["content"] for each in provider.requests[-1].json["messages"]]
    assert contents[3:] == [approving.REFUSED, "And now?"]
    assert server.made == []


@pytest.mark.usefixtures("hurried")
async def test_what_waits_is_refused_when_the_profile_is_for_others(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    await host.open(chat)

    def keep_for_others() -> None:
        AgentProfile.default().groups.add(Group.objects.create(name="others"))

    await database.write(keep_for_others)
    assert (await host.listener.fact("approval.decided"))["decision"] == "refused"
    assert (await said(chat))[-1] == ("tool", approving.NOT_OFFERED, "complete")
    assert (await host.open(chat))["approvals"] == []
    [stored] = await stored_approvals()
    assert (stored.decision, stored.decided_by_id, stored.state) == ("refused", None, "none")
    assert server.made == []


@pytest.mark.thorough
async def test_what_waits_on_a_left_branch_is_refused_with_its_user(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    first = (await host.open(chat))["messages"][0]
    edited = await within(host.runner.service.edit_message(host.user_id, first.id, "Never mind.", None))
    await host.listener.end_of(edited.asked.run_id)
    await idle(host)
    users = get_user_model().objects.filter(pk=host.user_id)
    await database.write(lambda: users.update(is_active=False))
    await host.runner.supervisor.look()
    assert [each.decision for each in await stored_approvals()] == ["refused"]
    assert not await database.read(WaitingCall.objects.exists)
    assert [text for _, text, _ in await said(chat)][:1] == ["Never mind."]


async def test_no_call_is_begun_for_a_user_who_may_no_longer_act(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    server.holds.clear()
    asked = await decide(host, chat, {"c1": True})
    await within(server.began.wait())
    turn = await stored_turn(asked.run_id)
    users = get_user_model().objects.filter(pk=host.user_id)
    await database.write(lambda: users.update(is_active=False))
    with pytest.raises(OwnershipLost):
        await database.write(approving.begin_calls, turn, [])
    server.holds.set()
    await idle(host)


@pytest.mark.thorough
async def test_deleting_the_chat_deletes_what_waits(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    await host.runner.service.delete_session(host.user_id, chat)
    assert not await database.read(lambda: Approval.objects.exists() or WaitingCall.objects.exists())


@pytest.mark.both_databases
async def test_deleting_the_chat_amid_a_call_stores_nothing(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    server.holds.clear()
    await decide(host, chat, {"c1": True})
    await within(server.began.wait())
    await host.runner.service.delete_session(host.user_id, chat)
    server.holds.set()
    assert not await database.read(lambda: Approval.objects.exists() or Message.objects.exists())


@pytest.mark.thorough
async def test_events_that_were_missed_tell_what_waits(host: Host, chat: UUID, provider: Provider) -> None:
    await asked_in(host, chat, provider, sends("Bo", "c1"))
    page = await database.read(journal.after, host.user_id, 0, 100)
    names = [fact.name.value for fact in page.facts]
    assert names.index("message.created") < names.index("approval.waiting") < names.index("turn.ended")
    [waits] = [fact.value for fact in page.facts if fact.name == "approval.waiting"]
    assert (waits.tool, waits.decision) == ("mail_send", None)
    [end] = [fact.end for fact in page.facts if fact.name == "turn.ended"]
    assert end is not None
    assert [each.tool_call_id for each in end.event.outcome.interrupts] == ["c1"]
