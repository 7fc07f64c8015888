"""The Python client with a real site: a conversation, its branches, errors, and several clients of a user."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any
from uuid import uuid4

import pytest

from hermes_client import (
    Client,
    Denied,
    Disconnected,
    NotFound,
    Refused,
    RunFailed,
    TooLarge,
    blocking,
    connect,
)
from tests.live import LiveSite
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate, words

_REVOKE = """
DELETE FROM sessions_app_apitoken WHERE owner_id = (SELECT id FROM auth_user WHERE username = %s)
"""


async def client_of(site: LiveSite, user: str, **options: Any) -> Client:
    return await connect(site.ws_url, site.tokens[user], **options)


async def test_an_answer_comes_as_events_as_words_and_as_a_message(site: LiveSite, user: str, model: Provider) -> None:
    model.script(
        Answer(words=["Let me see."], calls=[Call("calculator", '{"expression":"6*7"}')]), Answer(words=["42"])
    )
    async with await client_of(site, user) as client:
        chat = await client.create(title="A program's")
        run = await chat.send("What is 6*7?")
        types = [event["type"] async for event in run]
        assert (types[0], types[-1]) == ("RUN_STARTED", "RUN_FINISHED")
        assert types.count("TOOL_CALL_START") == types.count("TOOL_CALL_RESULT") == 1
        assert [text async for text in run.texts()] == ["Let me see.", "\n\n", "42"]
        answer = await run.answer()
        assert answer is not None
        assert (answer["text"], answer["status"]) == ("42", "complete")
        assert chat.session["title"] == "A program's"
        assert [session["id"] async for session in client.sessions()] == [chat.id]


async def test_a_plain_program_needs_no_event_loop(site: LiveSite, user: str, model: Provider) -> None:
    def program() -> list[str]:
        model.script(Answer(words=["Good ", "day."]))
        with blocking.connect(site.ws_url, site.tokens[user]) as client:
            chat = client.create()
            facts = client.facts()
            run = chat.send("Hello")
            said = "".join(run.texts())
            answer = run.answer()
            assert answer is not None
            assert next(facts) is not None
            assert chat.send("And?").answer() is not None
            assert chat.regenerate().answer() is not None
            [session] = client.sessions()
            assert session["id"] == chat.id
            assert client.profiles()
        with pytest.raises(Disconnected):
            chat.send("More")
        return [said, answer["text"]]

    assert await asyncio.to_thread(program) == ["Good day.", "Good day."]


async def test_an_edit_and_another_answer_are_branches(site: LiveSite, user: str, model: Provider) -> None:
    model.script(*(Answer(words=[f"A{number}"]) for number in range(1, 4)))
    async with await client_of(site, user) as client:
        chat = await client.create()
        await (await chat.send("Q1")).answer()
        again = await (await chat.regenerate()).answer()
        opened = await client.call("session.open", session_id=chat.id)
        asked = opened["messages"][0]["id"]
        edited = await (await chat.edit(asked, "Q2")).answer()
        assert again is not None
        assert edited is not None
        assert (again["text"], edited["text"]) == ("A2", "A3")
        opened = await client.call("session.open", session_id=chat.id)
        assert [message["text"] for message in opened["messages"]] == ["Q2", "A3"]


def uploaded(site: LiveSite, user: str) -> str:
    """Return the id of a file of a user."""
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nHello\r\n--x--\r\n'
    headers = {"Authorization": f"Bearer {site.tokens[user]}", "Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(f"{site.base_url}/api/files/", form, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return str(json.load(answer)["id"])


async def test_messages_have_files_and_an_edit_keeps_them(site: LiveSite, user: str) -> None:
    file = await asyncio.to_thread(uploaded, site, user)
    async with await client_of(site, user) as client:
        chat = await client.create()
        await (await chat.send("Read this", files=[file])).answer()
        message_id = await shown_with(client, chat.id, [file])
        await (await chat.edit(message_id, "Read that")).answer()
        message_id = await shown_with(client, chat.id, [file])
        await (await chat.edit(message_id, "Read nothing", files=[])).answer()
        await shown_with(client, chat.id, [])


async def shown_with(client: Client, session_id: str, files: list[str]) -> str:
    """Hold that a session's first message has these files, and return its id."""
    message = (await client.call("session.open", session_id=session_id))["messages"][0]
    assert [each["id"] for each in message.get("files") or []] == files
    return str(message["id"])


async def test_a_stopped_turn_keeps_its_text(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    async with await client_of(site, user) as client:
        chat = await client.create()
        run = await chat.send("Count")
        words_so_far = run.texts()
        assert await anext(words_so_far) == "one "
        assert chat.running is not None
        assert chat.running.id == run.id
        assert await chat.stop()
        answer = await run.answer()
        assert answer is not None
        assert (answer["text"], answer["status"]) == ("one ", "stopped")
        assert run.outcome is not None
        assert run.outcome["outcome"] == {"type": "cancelled"}
        assert not await run.stop()
    gate.open()


async def test_a_turn_that_waits_is_told_when_it_begins_or_withdrawn(
    site: LiveSite, user: str, model: Provider
) -> None:
    gate = Gate()
    model.script(Answer(words=["one"], gates={0: gate}), Answer(words=["two"]))
    async with await client_of(site, user) as client:
        chat = await client.create()
        runs = [await chat.send(text) for text in ("first", "second", "third")]
        assert await runs[2].stop()
        assert await runs[2].answer() is None
        gate.open()
        answers = [await run.answer() for run in runs[:2]]
        assert [answer and answer["text"] for answer in answers] == ["one", "two"]


async def test_errors_are_exceptions_with_code_and_data(site: LiveSite, user: str, model: Provider) -> None:
    model.script(Answer(status=400))
    async with await client_of(site, user) as client:
        with pytest.raises(NotFound) as missing:
            await client.open(str(uuid4()))
        assert missing.value.code == -32001
        chat = await client.create()
        with pytest.raises(TooLarge) as large:
            await chat.send("x" * 200_001)
        assert large.value.data["limit"] == 200_000
        with pytest.raises(TooLarge):
            await chat.send("x" * 10_000_000)
        with pytest.raises(Refused) as refused:
            await client.call("session.create", title=5)
        assert refused.value.code == -32602
        run = await chat.send("Fail")
        with pytest.raises(RunFailed) as failed:
            await run.answer()
        assert failed.value.code == "provider"


async def test_what_another_client_does_is_heard(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    async with await client_of(site, user) as first, await client_of(site, user) as second:
        facts = first.facts()
        chat = await second.create(title="shared")
        run = await chat.send("Hello")
        assert await anext(run.texts()) == "one "
        fact = await anext(facts)
        assert fact is not None
        assert fact["event"]["name"] == "session.created"
        running = (await first.open(chat.id)).running
        assert running is not None
        gate.open()
        assert "".join([text async for text in running.texts()]) == "one two"
        assert running.message == await run.answer()


async def test_facts_go_on_from_the_cursor_of_an_earlier_client(site: LiveSite, user: str) -> None:
    async with await client_of(site, user) as client:
        await client.create(title="one")
        cursor = client.cursor
        later = await client.create(title="two")
    async with await client_of(site, user, cursor=cursor) as client:
        assert client.cursor == cursor + 1
        assert later.id in [session["id"] async for session in client.sessions()]


async def test_a_cursor_that_nobody_knows_begins_with_what_is(site: LiveSite, user: str) -> None:
    async with await client_of(site, user, cursor=10**9) as client:
        await client.create()
        assert 0 < client.cursor < 10**9


async def test_the_host_summarises_in_a_run_of_its_own(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["A1"]), Answer(words=["A summary."], gates={0: gate}))
    async with await client_of(site, user) as client:
        chat = await client.create()
        await (await chat.send("Q1")).answer()
        facts = client.facts()
        run_id = (await client.call("session.compact", session_id=chat.id))["run_id"]
        while (fact := await anext(facts)) is None or fact["event"]["name"] != "turn.began":
            pass
        run = chat.running
        assert run is not None
        assert run.id == run_id
        gate.open()
        types = [event["type"] async for event in run]
        assert types == ["RUN_STARTED", "STEP_STARTED", "STEP_FINISHED", "RUN_FINISHED"]


async def test_the_same_message_id_is_the_same_turn_also_for_another_client(
    site: LiveSite, user: str, model: Provider
) -> None:
    model.script(Answer(words=["only once"]))
    message_id = str(uuid4())
    async with await client_of(site, user) as client:
        chat = await client.create()
        first = await chat.send("Hello", message_id=message_id)
        await first.answer()
    async with await client_of(site, user) as client:
        again = await (await client.open(chat.id)).send("Hello", message_id=message_id)
        assert again.id == first.id
        assert "".join([text async for text in again.texts()]) == "only once"
        assert again.message == first.message
    assert len(model.requests) == 1


async def test_a_wrong_token_is_denied(site: LiveSite) -> None:
    with pytest.raises(Denied):
        await connect(site.ws_url, "hermes_wrong")


async def test_a_revoked_token_ends_what_is_waited_for(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=words(3), gates={1: gate}))
    async with await client_of(site, user) as client:
        facts = client.facts()
        run = await (await client.create()).send("Hello")
        assert await anext(run.texts())
        await asyncio.to_thread(site.database.run, _REVOKE, user)
        with pytest.raises(Denied):
            await run.answer()
        with pytest.raises(Denied):
            async for _ in facts:
                pass
        with pytest.raises(Denied):
            await client.call("session.list")
    gate.open()


async def test_a_deleted_chat_ends_its_run(site: LiveSite, user: str, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=words(3), gates={1: gate}))
    async with await client_of(site, user) as client:
        run = await (await client.create()).send("Hello")
        assert await anext(run.texts())
        await client.call("session.delete", session_id=run.session_id)
        assert [event async for event in run][-1]["type"] in ("RUN_FINISHED", "RUN_ERROR")
    gate.open()
