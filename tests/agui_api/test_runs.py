"""Threads and runs by AG-UI's official clients, old and new, unmodified: their own checks take every stream."""

from __future__ import annotations

import pytest

from tests.agui_api.conftest import NEW, OLD, Clients
from tests.openai_api.conftest import Program
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

BOTH = pytest.mark.parametrize("version", [NEW, OLD])


@BOTH
def test_a_thread_is_a_session_in_the_page(clients: Clients, program: Program, model: Provider, version: str) -> None:
    model.script(Answer(words=["Good ", "day."]), Answer(words=["Good ", "night."]))
    agent = clients.agent("my thread", version)
    first = agent.say("Hello", "hello-1")
    assert first.kinds == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]
    assert {event["threadId"] for event in first.events if "threadId" in event} == {"my thread"}
    second = agent.say("And now?")
    assert second.texts == [
        ("user", "Hello"),
        ("assistant", "Good day."),
        ("user", "And now?"),
        ("assistant", "Good night."),
    ]
    [session] = program.sessions()
    assert session["title"] == "Hello"
    assert program.texts(session["id"]) == [text for _, text in second.texts]
