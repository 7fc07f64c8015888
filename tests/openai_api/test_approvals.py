"""Calls that a person must approve, as programs of OpenAI's API see them: the answer ends, and the page decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.agui_api.test_interrupts import SEND, mails, sent, site
from tests.openai_api.conftest import MODEL, Program, conversation
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

__all__ = ["mails", "sent", "site"]


def decide(program: Program, *, approve: bool) -> None:
    """What the user does in the page; returns when the answer has ended."""
    [session] = program.sessions()
    with program.page() as page:
        [approval] = page.call("session.open", session_id=session["id"])["result"]["approvals"]
        page.call(
            "turn.resume",
            session_id=session["id"],
            decisions=[{"approval_id": approval["id"], "approve": approve}],
        )
        page.until(lambda told: told.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")


def test_a_completion_ends_and_says_what_waits(
    program: Program, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(words=["One moment."], calls=[SEND]), Answer(words=["Fine."]))
    said: Any = conversation("Write to Bo.")
    whole = program.client().chat.completions.create(model=MODEL, messages=said)
    [choice] = whole.choices
    assert (choice.finish_reason, choice.message.content, choice.message.tool_calls) == ("stop", "One moment.", None)
    assert [each["toolCallId"] for each in whole.interrupts] == ["call_m"]  # type: ignore[attr-defined]
    assert program.say("Write to Bo.", "One moment.", "Never mind.") == "Fine."
    assert len(program.sessions()) == 1
    assert model.requests[-1].json["messages"][-2]["role"] == "tool"
    assert sent() == []


def test_a_streamed_completion_says_it_in_its_last_chunk(program: Program, model: Provider) -> None:
    model.script(Answer(words=["One moment."], calls=[SEND]))
    said: Any = conversation("Write to Bo.")
    chunks = list(program.client().chat.completions.create(model=MODEL, messages=said, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert [each["reason"] for each in chunks[-1].interrupts] == ["tool_approval"]  # type: ignore[attr-defined]
    assert all(not each.choices[0].delta.tool_calls for each in chunks)


def test_what_was_decided_in_the_page_is_part_of_what_goes_on(
    program: Program, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(words=["One moment."], calls=[SEND]), Answer(words=["Sent."]), Answer(words=["Yes."]))
    program.say("Write to Bo.")
    decide(program, approve=True)
    assert sent() == ["Bo"]
    assert program.say("Write to Bo.", "One moment.\n\nSent.", "Really?") == "Yes."
    assert len(program.sessions()) == 1
    assert [each["content"] for each in model.requests[-1].json["messages"] if each["role"] == "tool"] == ["sent to Bo"]


def test_a_response_is_completed_and_says_what_waits(
    program: Program, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(words=["One moment."], calls=[SEND]), Answer(words=["I see."]))
    made = program.client().responses.create(model=MODEL, input="Write to Bo.")
    assert (made.status, made.output_text) == ("completed", "One moment.")
    assert [each["toolCallId"] for each in made.interrupts] == ["call_m"]  # type: ignore[attr-defined]
    decide(program, approve=False)
    kept = program.client().responses.retrieve(made.id)
    assert kept.interrupts == made.interrupts  # type: ignore[attr-defined]
    assert sent() == []
