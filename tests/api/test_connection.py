"""One connection: order, notifications, faults of ours, and how it closes."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.api.lanes import OUTSTANDING
from sessions_app.api.methods import transcripts
from sessions_app.models import ChatSession
from sessions_app.session_store import chats
from tests.api.conftest import Connect
from tests.api.rows import turn_texts
from tests.providers.fixtures import Provider
from tests.providers.script import Answer


class Barrier:
    """A function that waits in its database thread until the test lets it go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def __call__(self, *_: Any) -> list[Any]:
        self.reached.set()
        assert self.released.wait(10)
        return []


@pytest.fixture
def slow_search(monkeypatch: pytest.MonkeyPatch) -> Iterator[Barrier]:
    barrier = Barrier()
    monkeypatch.setattr(transcripts, "search", barrier)
    yield barrier
    barrier.released.set()


async def test_a_slow_search_holds_up_no_other_command(
    connect: Connect, owner: AbstractUser, slow_search: Barrier
) -> None:
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    searches = [await client.ask("session.search", query="needle") for _ in range(3)]
    await asyncio.to_thread(slow_search.reached.wait, 10)
    assert await client.call("turn.stop", session_id=session_id) == {"stopped": False}
    slow_search.released.set()
    for request_id in searches:
        assert await client.answer(request_id) == {"hits": []}


async def test_commands_of_one_session_keep_their_order(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    for number in range(30):
        name = session_id.upper() if number % 2 else session_id
        await client.ask("session.update", session_id=name, title=str(number))
    last = await client.ask("session.update", session_id=session_id, pinned=True)
    assert (await client.answer(last))["session"]["title"] == "29"
    titles = [(await client.fact("session.updated"))["title"] for _ in range(31)]
    assert titles == [*map(str, range(30)), "29"]


async def test_turns_sent_without_waiting_keep_their_order(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    asked = [await client.ask("turn.start", session_id=session_id, text=f"number {n}") for n in range(5)]
    runs = [(await client.answer(request_id))["run_id"] for request_id in asked]
    await client.run_ends_anywhere(session_id, runs[-1])
    assert await turn_texts(session_id) == [f"number {n}" for n in range(5)]


async def test_more_commands_than_have_room_are_all_answered(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    asked = [await client.ask("session.list") for _ in range(3 * OUTSTANDING)]
    for request_id in asked:
        assert (await client.answer(request_id))["sessions"] == []


async def test_a_request_without_an_id_is_carried_out_and_never_answered(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    await client.notify("session.create", title="by notification")
    session = await client.fact("session.created")
    await client.notify("no.such.method")
    await client.notify("session.create", title=5)
    await client.notify("session.create", title="t" * 201)
    await client.notify("session.delete", session_id="00000000-0000-0000-0000-000000000000")
    await client.notify("session.update", session_id=session["id"], title="renamed")
    assert (await client.fact("session.updated"))["title"] == "renamed"
    await client.call("session.list")  # had anything else been answered, the client would have failed on its id


async def test_an_answer_carries_the_id_of_its_request(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    for request_id in ("a string", "", "💬\0", 0, -5, 1.5, 2**70, None):
        frame = json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "no.such.method"})
        assert (await client.raw(frame, request_id)).code == -32601


async def test_a_fault_of_ours_names_no_internals_and_logs_no_words(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(transcripts, "search", mock.Mock(side_effect=ZeroDivisionError("Key (text)=(private words)")))
    client = await connect(owner)
    refusal = await client.refusal("session.search", query="private words")
    assert refusal.code == -32603
    assert json.loads(refusal.frame)["error"] == {
        "code": -32603,
        "message": "Something went wrong on the server.",
    }
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "session.search failed"
    assert record.exc_info is not None
    assert (await client.call("session.list"))["sessions"] == []


async def test_a_binary_frame_closes_the_connection_behind_what_was_answered(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    await client.call("session.list")
    await client.send_bytes(b'{"jsonrpc":"2.0","id":1,"method":"session.create"}')
    await client.notify("session.create")
    assert await client.closed() == 4003
    await client.leave()
    assert await database.read(ChatSession.objects.count) == 0


async def test_what_was_asked_for_is_carried_out_though_the_client_left(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier, create = Barrier(), chats.create

    def slowly(*args: Any, **more: Any) -> Any:
        barrier()
        return create(*args, **more)

    monkeypatch.setattr(chats, "create", slowly)
    client = await connect(owner)
    for _ in range(2):
        await client.notify("session.create", title="left behind")
    await asyncio.to_thread(barrier.reached.wait, 10)
    await client.vanish()
    barrier.released.set()
    await client.gone()
    assert await database.read(ChatSession.objects.filter(title="left behind").count) == 2


async def test_a_turn_goes_on_when_its_client_leaves(connect: Connect, owner: AbstractUser) -> None:
    client, other = await connect(owner), await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    await other.call("session.open", session_id=session_id)
    run_id = (await client.call("turn.start", session_id=session_id, text="hi"))["run_id"]
    await client.leave()
    assert (await other.run_ends(run_id))["type"] == "RUN_FINISHED"


async def test_a_client_that_left_leaves_nothing_behind(connect: Connect, owner: AbstractUser, runner: Any) -> None:
    before = asyncio.all_tasks()
    client = await connect(owner)
    await client.call("session.list")
    assert runner.delivery.subscriptions.size == 1
    await client.leave()
    assert runner.delivery.subscriptions.size == 0
    await database.write(owner.save)  # makes connections that are still known ask again
    assert asyncio.all_tasks() == before


async def test_no_event_of_the_socket_touches_database_connections(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched = mock.AsyncMock()
    for module in ("channels.consumer", "channels.generic.websocket"):
        monkeypatch.setattr(f"{module}.aclose_old_connections", touched)
    client = await connect(owner)
    await client.call("session.list")
    await client.leave()
    touched.assert_not_called()


async def test_markdown_is_rendered_and_sanitised(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    html = (await client.call("markdown.render", texts=["**bold**", "", "<script>alert(1)</script>"]))["html"]
    assert "<strong>bold</strong>" in html[0]
    assert html[1] == ""
    assert "<script" not in html[2]


async def test_two_thousand_short_deltas_reach_a_client_in_order(
    connect: Connect, owner: AbstractUser, provider: Provider, settings: Any
) -> None:
    settings.HERMES_MODEL = "openai-chat:loopback"
    provider.script(Answer(words=[f"{n} " for n in range(2000)]))
    client = await connect(owner)
    session_id = (await client.call("session.create"))["session"]["id"]
    await client.call("session.open", session_id=session_id)
    run_id = (await client.call("turn.start", session_id=session_id, text="count"))["run_id"]
    text, seq = "", 0
    while (event := await client.event(lambda event: event["run_id"] == run_id))["event"]["type"] != "RUN_FINISHED":
        seq += 1
        assert event["seq"] == seq
        text += event["event"].get("delta", "")
    assert text == "".join(f"{n} " for n in range(2000))
