"""What the end of a turn leaves behind: why an answer is not whole, why there is none, what was thought."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, stored_turn

pytestmark = pytest.mark.one_database


async def messages(host: Host, chat: UUID) -> list[dict[str, Any]]:
    """The messages as a client that opens the session gets them."""
    return [message.model_dump(mode="json") for message in (await host.open(chat))["messages"]]


def created(host: Host) -> list[dict[str, Any]]:
    """The messages as a client that was there was told of them."""
    return [e["event"]["value"] for e in host.listener.events if e["event"].get("name") == "message.created"]


async def ended(host: Host, chat: UUID, text: str = "hello") -> dict[str, Any]:
    """Carry a turn out; the event that ended it."""
    asked = await host.ask(chat, text)
    event: dict[str, Any] = (await host.listener.end_of(asked.run_id))["event"]
    return event


async def test_an_answer_that_ended_at_its_length(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    host = await new_host(max_answer=10)
    provider.script(Answer(["word "] * 10))
    chat = await session()
    assert (await ended(host, chat))["type"] == "RUN_FINISHED"
    answer = (await messages(host, chat))[1]
    assert (answer["text"], answer["status"], answer["finish"]) == ("word word ", "complete", "length")
    await ended(host, chat, "Continue.")
    assert b"word word " in provider.bodies[-1]


async def test_a_whole_answer_has_neither_finish_nor_error(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    for message in await messages(host, chat):
        assert (message["finish"], message["error"], message["reasoning"]) == (None, None, None)


async def test_the_answer_is_told_as_it_is_stored_before_its_end(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["Hi."], reasoning=["Hm."]))
    chat = await session()
    await ended(host, chat)
    told = [event["event"].get("name") or event["event"]["type"] for event in host.listener.events]
    assert told.index("message.created", 2) < told.index("RUN_FINISHED")
    opened = await messages(host, chat)
    assert [message["id"] for message in created(host)] == [message["id"] for message in opened]
    assert created(host)[1] == {name: value for name, value in opened[1].items() if value is not None} | {
        "kind": None,
        "finish": None,
        "error": None,
        "rating": None,
    }
    assert opened[1]["reasoning"] == "Hm."


async def test_thoughts_alone_are_kept_with_the_error(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(reasoning=["Let me ", "think."]))
    chat = await session()
    event = await ended(host, chat)
    assert (event["type"], event["code"]) == ("RUN_ERROR", "empty")
    asked, answer = await messages(host, chat)
    assert (answer["text"], answer["status"], answer["reasoning"]) == ("", "failed", "Let me think.")
    assert answer["error"] == {"code": "empty", "text": event["message"]}
    assert asked["error"] is None
    await ended(host, chat, "again")
    contents = [message["content"] for message in provider.requests[-1].json["messages"]]
    assert contents[1:] == ["hello", "again"]


async def test_a_turn_without_an_answer_leaves_its_error_at_the_question(
    host: Host, session: NewSession, provider: Provider
) -> None:
    answers = [Answer(status=403), Answer(), Answer(status=413), Answer(["x"], cut=0)]
    for answer, code in zip(answers, ["provider", "empty", "context", "provider"], strict=True):
        provider.script(answer)
        chat = await session()
        event = await ended(host, chat)
        [asked] = await messages(host, chat)
        assert asked["error"] == {"code": code, "text": event["message"]}
        await ended(host, chat, "again")
        first, *others = await messages(host, chat)
        assert first["error"] == asked["error"]
        assert [message["error"] for message in others] == [None, None]


async def test_an_answer_that_broke_off_has_the_error_itself(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["One ", "two"], cut=1))
    chat = await session()
    event = await ended(host, chat)
    asked, answer = await messages(host, chat)
    assert (asked["error"], answer["status"]) == (None, "failed")
    assert answer["error"] == {"code": "provider", "text": event["message"]} == created(host)[1]["error"]


async def test_a_call_and_then_nothing_is_said(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(calls=[Call("calculator", '{"expression": "6 * 7"}')]), Answer())
    chat = await session()
    event = await ended(host, chat)
    assert (event["code"], event["message"]) == ("empty", "The model gave no answer.")
    stored = await messages(host, chat)
    assert [message["role"] for message in stored] == ["user", "assistant", "tool"]
    assert [message["error"] is not None for message in stored] == [True, False, False]
    assert (await ended(host, chat, "again"))["type"] == "RUN_FINISHED"


async def test_a_stop_keeps_what_was_thought(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["never"], reasoning=["Let me think."], gates={0: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await host.listener.until(lambda event: event["event"]["type"] == "REASONING_MESSAGE_CONTENT")
    assert await host.stop(chat, asked.run_id)
    gate.open()
    answer = (await messages(host, chat))[1]
    assert (answer["text"], answer["status"], answer["reasoning"]) == ("", "stopped", "Let me think.")


async def test_a_thought_that_was_taken_for_words_moves_when_it_is_stored(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["Hm.", "</think>\n\n", "The answer"]))
    chat = await session()
    asked = await host.ask(chat)
    await host.listener.end_of(asked.run_id)
    assert "think>" not in host.listener.text(asked.run_id)
    answer = created(host)[1]
    assert (answer["text"], answer["reasoning"]) == ("The answer", "Hm.")
    assert (await messages(host, chat))[1]["text"] == "The answer"
    assert (await stored_turn(asked.run_id)).status == "complete"
    assert (await host.turn(chat, "again")).guard_transcript == "kept"
