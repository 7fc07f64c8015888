"""Threads of a client's own: what is known of its messages, and which run a request gets."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.errors import BadInput, Conflict
from sessions_app.models import ChatSession, Message, MessageName, SessionName, Turn
from sessions_app.turn_store import threads
from sessions_app.turn_store.thread_history import ThreadMessage
from sessions_app.turn_store.threads import ThreadRequest, ThreadRun
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost
from tests.turns.host import Host, idle, said, stands_at, stored_turn, within

pytestmark = pytest.mark.one_database


def request(*texts: str, run: str = "", thread: str = "thread", first: int = 0) -> ThreadRequest:
    """A request with messages of the user and the assistant in turn, whose ids are their numbers."""
    roles = ("user", "assistant")
    messages = [ThreadMessage(str(first + number), roles[number % 2], text) for number, text in enumerate(texts)]
    return ThreadRequest(thread, run or str(uuid4()), None, tuple(messages))


async def ask(host: Host, given: ThreadRequest) -> ThreadRun:
    """A whole run of a thread."""
    found = await within(host.runner.service.run_thread(host.user_id, given))
    if found.asked is not None:
        await host.listener.until(
            lambda event: (
                event["event"].get("name") == "turn.ended" and event["event"]["value"]["run_id"] == str(found.run_id)
            )
        )
        await idle(host)
    return found


async def ids_of(session_id: UUID) -> list[str]:
    """The public ids of a session's messages; of one place, the newest is the last."""
    rows = Message.objects.filter(chat_session=session_id).order_by("position", "pk")
    return await database.read(lambda: [str(each) for each in rows.values_list("public_id", flat=True)])


@pytest.mark.both_databases
async def test_one_request_twice_at_once_is_one_run(host: Host, provider: Provider) -> None:
    given = request("Q1", run="mine")
    first, second = await asyncio.gather(ask(host, given), ask(host, given))
    assert (first.session_id, first.run_id) == (second.session_id, second.run_id)
    assert len(provider.requests) == 1
    assert await database.read(ChatSession.objects.count) == 1


@pytest.mark.both_databases
async def test_two_threads_at_once_are_two_sessions(host: Host) -> None:
    run = str(uuid4())
    found = await asyncio.gather(*(ask(host, request("Q1", run=run, thread=name)) for name in ("one", "two")))
    assert len({each.session_id for each in found}) == len({each.run_id for each in found}) == 2
    assert UUID(run) in {each.run_id for each in found}


async def test_another_users_run_and_thread_are_unknown(host: Host, provider: Provider) -> None:
    run = str(uuid4())
    mine = await ask(host, request("Q1", run=run))
    other = await database.write(get_user_model().objects.create_user, "other")
    for thread in ("thread", str(mine.session_id)):
        given = request("Q2", run=run, thread=thread)
        theirs = await database.write(threads.take, other.pk, given, process="x", accepting=False)
        assert theirs.session_id != mine.session_id
        assert theirs.run_id not in (mine.run_id, None)
        assert theirs.asked is not None
    assert len(await said(mine.session_id)) == 2


@pytest.mark.both_databases
async def test_what_a_client_calls_messages_is_kept_until_the_session_goes(host: Host) -> None:
    found = await ask(host, request("Q1", "A1", "Q2"))
    rows = await database.read(lambda: dict(MessageName.objects.values_list("name", "message_id")))
    assert [str(rows[name]) for name in ("0", "1", "2")] == (await ids_of(found.session_id))[:3]
    await within(host.runner.service.delete_session(host.user_id, found.session_id))
    assert await database.read(MessageName.objects.count) == 0
    assert await database.read(SessionName.objects.count) == 0
    again = await ask(host, request("Q1", "A1", "Q2", "A2", "Q3"))
    assert [text for _, text, _ in await said(again.session_id)][:5] == ["Q1", "A1", "Q2", "A2", "Q3"]


async def test_an_edit_behind_a_summary_keeps_it(host: Host, provider: Provider) -> None:
    provider.script(*(Answer([text]) for text in ("A1", "A2", "They said things.", "A3", "A3 again")))
    found = await ask(host, request("Q1"))
    await ask(host, request("Q2", first=2))
    compacted = await within(host.runner.service.compact(host.user_id, found.session_id))
    await host.listener.until(
        lambda event: (
            event["event"].get("name") == "turn.ended" and event["event"]["value"]["run_id"] == str(compacted.run_id)
        )
    )
    await idle(host)
    end = (await ids_of(found.session_id))[3]
    known = ThreadMessage(end, "assistant", "A2")
    for number, text in enumerate(("Q3", "Q3, better")):
        new = ThreadMessage(f"new {number}", "user", text)
        await ask(host, ThreadRequest("thread", str(uuid4()), None, (known, new)))
    first, edited = provider.bodies[-2:]
    assert b"They said things." in first
    assert edited == first.replace(b'"Q3"', b'"Q3, better"')


async def test_another_answer_is_sent_what_the_first_was(host: Host, provider: Provider) -> None:
    provider.script(*(Answer([text]) for text in ("A1", "B1", "A2")))
    found = await ask(host, request("Q1"))
    await ask(host, request("Q1"))
    assert provider.bodies[0] == provider.bodies[1]
    end = (await ids_of(found.session_id))[-1]
    known, new = ThreadMessage(end, "assistant", "B1"), ThreadMessage("new", "user", "Q2")
    await ask(host, ThreadRequest("thread", "next", None, (known, new)))
    assert extends(provider.bodies[2], provider.bodies[1])
    assert (await stored_turn(UUID(str((await database.read(Turn.objects.latest, "id")).run_id)))).kind == "message"


async def test_a_run_that_waits_is_found_again(host: Host, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["one ", "two"], gates={1: gate}))
    first = await within(host.runner.service.run_thread(host.user_id, request("Q1", run="first")))
    await stands_at(gate)
    given = request("Q2", run="second", first=2)
    waiting = await within(host.runner.service.run_thread(host.user_id, given))
    again = await within(host.runner.service.run_thread(host.user_id, given))
    assert (waiting.asked is not None, again.asked, again.run_id) == (True, None, waiting.run_id)
    other = await within(host.runner.service.run_thread(host.user_id, request("Q2", run="third", first=2)))
    assert (other.asked, other.run_id) == (None, waiting.run_id)
    with pytest.raises(Conflict):
        await within(host.runner.service.run_thread(host.user_id, request("Q3", "A3", "Q4", first=4)))
    assert waiting.run_id is not None
    await within(host.runner.service.stop_turn(host.user_id, first.session_id, waiting.run_id))
    end = await database.read(threads.end_of, host.user_id, first.session_id, waiting.run_id)
    assert end is not None
    assert end.model_dump(by_alias=True)["outcome"]["type"] == "cancelled"
    gate.open()
    await idle(host)


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (ThreadMessage("a", "assistant", "Hello"),),
        (ThreadMessage("u", "user", " "),),
        (ThreadMessage("u", "user", "Q1"), ThreadMessage("t", "tool", "x", call_id="c")),
    ],
)
async def test_what_cannot_be_answered_is_refused_and_nothing_stored(host: Host, messages: Any) -> None:
    with pytest.raises(BadInput):
        await within(host.runner.service.run_thread(host.user_id, ThreadRequest("thread", "run", None, messages)))
    assert await database.read(ChatSession.objects.count) == 0


async def test_a_process_that_stops_leaves_the_run_to_another(
    new_host: NewHost, user: AbstractUser, provider: Provider
) -> None:
    given = request("Q1", run="left")
    found = await database.write(threads.take, user.pk, given, process="of another time", accepting=False)
    host = await new_host()
    await host.runner.supervisor.look()
    await host.listener.fact("turn.ended")
    assert found.run_id is not None
    assert (await stored_turn(found.run_id)).status == "complete"
    again = await within(host.runner.service.run_thread(host.user_id, given))
    assert (again.asked, again.run_id) == (None, found.run_id)
