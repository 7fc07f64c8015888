"""turn.stop, at every moment at which it may come."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from sessions_app import database
from sessions_app.errors import NotFound
from sessions_app.models import Message
from sessions_app.realtime.notices import Notice
from sessions_app.realtime.subscriptions import Subscriptions
from sessions_app.turns import run
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, said, stands_at, stored_turn, types, within
from tests.turns.slow import SlowSearch, SlowWrite

pytestmark = pytest.mark.one_database

SEARCH = Call("search_chats", '{"query": "x"}')


async def test_before_the_first_word(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["never said"], gates={0: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    assert await host.stop(chat)
    finished = (await host.listener.end_of(asked.run_id))["event"]
    assert (finished["type"], finished["outcome"]) == ("RUN_FINISHED", {"type": "cancelled"})
    assert await said(chat) == [("user", "hello", "complete")]
    assert (await stored_turn(asked.run_id)).status == "stopped"
    [question] = (await host.open(chat))["messages"]
    assert question.error is not None
    assert question.error.code == "stopped"
    after = await host.turn(chat, "again")
    assert guard_of(after) == ("reused", "kept", "same stamp")
    assert [m["content"] for m in provider.requests[-1].json["messages"][1:]] == ["hello", "again"]


async def test_in_the_middle_keeps_what_was_said(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    assert await host.stop(chat, asked.run_id)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One ", "stopped")]
    assert types(host.listener.run(asked.run_id))[-2:] == ["TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert (await host.turn(chat)).guard_transcript == "kept"


async def test_amid_the_arguments_of_a_call_ends_the_call_before_the_run(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["Looking. "], calls=[SEARCH], gates={2: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "TOOL_CALL_ARGS")
    assert await host.stop(chat)
    await host.listener.end_of(asked.run_id)
    assert types(host.listener.run(asked.run_id))[3:] == [
        "TOOL_CALL_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_END",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]


async def test_the_instant_the_run_is_announced(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    await host.turn(chat, "one")
    deliver = Subscriptions.deliver

    def deliver_and_stop(subscriptions: Subscriptions, user_id: int, notice: Notice) -> None:
        deliver(subscriptions, user_id, notice)
        for each in host.runner.runs:
            each.stop("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(Subscriptions, "deliver", deliver_and_stop)
        stopped = await host.turn(chat, "two")
    assert (stopped.status, guard_of(stopped)) == ("stopped", ("reused", "kept", "same stamp"))
    assert host.listener.run(stopped.run_id)[0]["event"]["metadata"]["guard"]["reason"] == "same stamp"
    assert guard_of(await host.turn(chat, "three")) == ("reused", "kept", "same stamp")
    sent = [m["content"] for m in provider.requests[-1].json["messages"] if m["role"] == "user"]
    assert sent == ["one", "two", "three"]


async def test_before_the_request_has_reached_the_wire(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openai import _base_client

    chat = await session()
    # The SDK asks for the platform, in a thread, before a client's first request.
    slow = SlowWrite(monkeypatch, _base_client, "get_platform")
    asked = await host.ask(chat, "one")
    await within(slow.begun.wait())
    host.runner.runs[0].stop("stopped")
    slow.go.set()
    await host.listener.end_of(asked.run_id)
    assert provider.requests == []
    assert (await stored_turn(asked.run_id)).status == "stopped"
    assert guard_of(await host.turn(chat, "two")) == ("reused", "kept", "same stamp")
    assert [m["content"] for m in provider.requests[-1].json["messages"][1:]] == ["one", "two"]


async def test_while_a_tool_runs(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    search = SlowSearch()
    host = await new_host(search=search)
    provider.script(Answer(["Looking. "], calls=[SEARCH]))
    chat = await session()
    asked = await host.ask(chat)
    await within(search.begun.wait())
    assert await host.stop(chat)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "Looking. ", "stopped")]
    assert guard_of(await host.turn(chat)) == ("reused", "kept", "same stamp")
    assert "tool_calls" not in provider.requests[-1].json["messages"][2]


async def test_before_a_word_of_the_next_step_keeps_who_answered(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    calculate = Call("calculator", '{"expression": "6 * 7"}')
    provider.script(Answer(["See: "], calls=[calculate]), Answer(["42"], gates={0: gate}), Answer(["whole"]))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    assert await host.stop(chat)
    await host.listener.end_of(asked.run_id)
    whole = await host.turn(await session())
    stopped = await stored_turn(asked.run_id)
    assert (stopped.provider, stopped.model) == (whole.provider, whole.model)


@pytest.mark.both_databases
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_while_a_step_is_being_committed(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    provider.script(Answer(["Looking. "], calls=[SEARCH]))
    slow = SlowWrite(monkeypatch, run, "store_step")
    chat = await session()
    asked = await host.ask(chat)
    await within(slow.begun.wait())
    for _ in range(times):
        for each in host.runner.runs:
            each.stop("stopped")
        await asyncio.sleep(0)
    slow.go.set()
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    stored = await said(chat)
    assert [role for role, _, _ in stored] == ["user", "assistant", "tool"]
    assert guard_of(await host.turn(chat, "again")) == ("reused", "kept", "same stamp")
    sent = provider.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "user"]
    assert [event["seq"] for event in host.listener.run(asked.run_id)] == list(
        range(1, 1 + len(host.listener.run(asked.run_id)))
    )


@pytest.mark.both_databases
async def test_while_the_end_is_being_committed_is_too_late(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowWrite(monkeypatch, run, "end")
    chat = await session()
    asked = await host.ask(chat)
    await within(slow.begun.wait())
    stopping = asyncio.create_task(host.stop(chat))
    slow.go.set()
    assert not await within(stopping)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "success"}
    assert (await said(chat))[-1][2] == "complete"


async def test_twice_at_once(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    # One that comes when the turn has ended answers false.
    assert any(await asyncio.gather(host.stop(chat), host.stop(chat)))
    ends = [e for e in host.listener.run(asked.run_id) if e["event"]["type"] in ("RUN_FINISHED", "RUN_ERROR")]
    assert len(ends) == 1
    assert [status for _, _, status in await said(chat)] == ["complete", "stopped"]


async def test_after_the_end_answers_false_and_changes_nothing(host: Host, session: NewSession) -> None:
    chat = await session()
    turn = await host.turn(chat)
    assert not await host.stop(chat)
    assert not await host.stop(chat, turn.run_id)
    assert (await stored_turn(turn.run_id)).status == "complete"
    assert not await host.stop(await session())


async def test_what_is_not_ones_own_is_not_found(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["Hi"], gates={0: gate}))
    chat, elsewhere = await session(), await session()
    asked = await host.ask(chat)
    with pytest.raises(NotFound):
        await host.stop(chat, uuid4())
    with pytest.raises(NotFound):
        await host.stop(elsewhere, asked.run_id)
    with pytest.raises(NotFound):
        await host.stop(uuid4())
    with pytest.raises(NotFound):
        await host.runner.service.stop_turn(host.user_id + 1, chat, asked.run_id)
    gate.open()
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "success"}


@pytest.mark.usefixtures("hurried")
async def test_from_another_process(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await owner.ask(chat)
    await stands_at(gate)
    assert await other.stop(chat)
    # The owner sees it at its next heartbeat, at the latest a second later.
    await within(owner.runner.supervisor.beat())
    assert (await owner.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert not await other.stop(chat)


async def test_a_stop_leaves_the_other_session_alone(host: Host, session: NewSession, provider: Provider) -> None:
    gates = [Gate(), Gate()]
    provider.script(*[Answer(["One ", "two"], gates={1: gate}) for gate in gates])
    chats = [await session(), await session()]
    first = await host.ask(chats[0])
    await stands_at(gates[0])
    second = await host.ask(chats[1])
    await stands_at(gates[1])
    assert await host.stop(chats[0])
    gates[1].open()
    assert (await host.listener.end_of(second.run_id))["event"]["outcome"] == {"type": "success"}
    assert (await stored_turn(first.run_id)).status == "stopped"
    assert await database.read(lambda: Message.objects.filter(chat_session=chats[1], text="One two").exists())
