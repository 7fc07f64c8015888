"""turn.resume over the socket: whose an approval is, what is refused in which order, and what a conflict says."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.conversations import approvals
from sessions_app.llm.content.codec import encode
from sessions_app.llm.content.parts import ToolCall
from sessions_app.models import Approval, ChatSession, Message, Turn, TurnStatus
from sessions_app.turn_store import approving
from tests.api.client import Client
from tests.api.conftest import Connect
from tests.api.rows import everything, say

_numbers = itertools.count(1)


def _wait(session_id: str, count: int) -> list[str]:
    """Have the last message of a session wait for so many approvals, as the end of a turn does; return their ids."""
    chat_session = ChatSession.objects.get(pk=session_id)
    message = Message.objects.filter(chat_session=chat_session).latest("position")
    calls = [ToolCall(f"call_{next(_numbers)}", "mail_send", '{"to":"Bo"}') for _ in range(count)]
    message.parts = encode(calls)
    message.save()
    turn = Turn.objects.create(
        owner_id=chat_session.owner_id, chat_session=chat_session, message_id=uuid4(), status=TurnStatus.COMPLETE
    )
    asked = [approvals.asked(call) for call in calls]
    approving.request(chat_session, turn, message, asked)
    return [str(each.id) for each in asked]


async def waiting(client: Client, count: int = 1) -> tuple[str, list[str]]:
    """A session of the client's user in which calls wait for a person, and the approvals' ids."""
    session_id = (await client.call("session.create"))["session"]["id"]
    await say(session_id, "Write to Bo.")
    await say(session_id, "May I?", role="assistant")
    return session_id, await database.write(_wait, session_id, count)


def refusing(*approval_ids: str) -> list[dict[str, Any]]:
    return [{"approval_id": each, "approve": False, "note": "no"} for each in approval_ids]


async def test_the_owner_decides_and_both_connections_are_told(connect: Connect, owner: AbstractUser) -> None:
    client, other = await connect(owner), await connect(owner)
    session_id, [approval_id] = await waiting(client)
    [shape] = (await client.call("session.open", session_id=session_id))["approvals"]
    assert (shape["id"], shape["arguments"], shape["decision"]) == (approval_id, '{"to":"Bo"}', None)
    decided = await client.call("turn.resume", session_id=session_id, decisions=refusing(approval_id))
    await client.run_ends_anywhere(session_id, decided["run_id"])
    told = await other.event(lambda event: event["event"].get("name") == "approval.decided")
    assert told["event"]["value"] == {**shape, "decision": "refused", "note": "no"}
    [call] = (await client.call("session.open", session_id=session_id))["messages"][1]["tool_calls"]
    assert call["approval"] == "refused"


async def test_who_decides_later_learns_what_was_decided(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id, [approval_id] = await waiting(client)
    decided = await client.call("turn.resume", session_id=session_id, decisions=refusing(approval_id))
    await client.run_ends_anywhere(session_id, decided["run_id"])
    again = [{"approval_id": approval_id, "approve": True}]
    refusal = await client.refusal("turn.resume", session_id=session_id, decisions=again)
    told = {"approval_id": approval_id, "decision": "refused", "run_id": decided["run_id"]}
    assert (refusal.code, refusal.data) == (-32004, {"approvals": [told]})


@pytest.mark.parametrize("who", ["outsider", "administrator"])
async def test_a_foreign_approval_is_answered_as_a_missing_one(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, administrator: AbstractUser, who: str
) -> None:
    session_id, [approval_id] = await waiting(await connect(owner))
    stranger = await connect({"outsider": outsider, "administrator": administrator}[who])
    own, _ = await waiting(stranger)
    before = await everything()
    answers = [
        await stranger.refusal("turn.resume", session_id=at, decisions=refusing(each))
        for at, each in ((own, approval_id), (own, str(uuid4())), (session_id, approval_id))
    ]
    assert {answer.code for answer in answers} == {-32001}
    assert len({answer.frame.split('"error"')[1] for answer in answers}) == 1
    assert await everything() == before


async def test_what_is_wrong_is_refused_in_the_contracts_order(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id, [first, second] = await waiting(client, 2)
    unknown, long = str(uuid4()), {"approval_id": str(uuid4()), "approve": False, "note": "x" * 2_001}
    for decisions, code in (
        ([long, {**long, "approval_id": "x"}], -32602),
        ([long], -32002),
        (refusing(first, second, unknown), -32001),
        (refusing(first), -32602),
    ):
        refusal = await client.refusal("turn.resume", session_id=session_id, decisions=decisions)
        assert refusal.code == code
    assert second in (await client.refusal("turn.resume", session_id=session_id, decisions=refusing(first))).frame
    assert len((await client.call("session.open", session_id=session_id))["approvals"]) == 2


async def test_of_a_deleted_session_nothing_is_left(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id, [approval_id] = await waiting(client)
    await client.call("session.delete", session_id=session_id)
    refusal = await client.refusal("turn.resume", session_id=session_id, decisions=refusing(approval_id))
    assert refusal.code == -32001
    assert not await database.read(Approval.objects.filter(public_id=UUID(approval_id)).exists)
