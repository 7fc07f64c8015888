"""Calls that a person must approve: they end the turn and wait, and another turn goes on with the decision."""

from __future__ import annotations

from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.models import TurnKind, WaitingCall
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, guard_of, idle, said, types
from tests.turns.tool_server import (
    MailServer,
    decided,
    give_tools,
    sends,
    serve,
    stored_approvals,
    waiting,
)

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
    assert (await host.open(chat))["approvals"] == []
