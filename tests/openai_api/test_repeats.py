"""Chat completions that a client sends again: each finds the turn that its first request has begun."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.openai_api.conftest import MODEL, Program, conversation
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

AGAIN = {"X-Stainless-Retry-Count": "1"}
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def said(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_one_that_has_just_been_answered_is_told_the_same(program: Program, model: Provider) -> None:
    model.script(Answer(words=["once"]), Answer(words=["twice"]))
    ask = program.client().chat.completions.create
    first = ask(model=MODEL, messages=conversation("Hello"))
    again = ask(model=MODEL, messages=conversation("Hello"), extra_headers=AGAIN)
    assert (again.id, again.choices, again.usage) == (first.id, first.choices, first.usage)
    assert ask(model=MODEL, messages=conversation("Hello")).choices[0].message.content == "twice"


def test_one_that_still_runs_is_followed_to_its_end(program: Program, model: Provider) -> None:
    gate, keyed = Gate(), {"Idempotency-Key": "a key of chats"}
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    asked: Any = {"model": MODEL, "messages": conversation("Hello"), "stream": True, "extra_headers": keyed}
    stream = program.client().chat.completions.create(**asked)
    first = next(stream)
    gate.stood(PATIENCE)
    again = program.client().chat.completions.create(**asked)
    gate.open()
    chunks = list(again)
    assert {chunk.id for chunk in chunks} == {first.id}
    assert said(chunks) == said([first, *stream]) == "one two"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len(model.requests) == 1
    assert len(program.sessions()) == 1


@pytest.mark.parametrize("streams", [False, True])
def test_calls_that_wait_for_the_program_are_told_again(program: Program, model: Provider, *, streams: bool) -> None:
    model.script(Answer(calls=[Call("weather", '{"city":"Oslo"}')]))
    asked: Any = {"model": MODEL, "messages": conversation(f"Weather? {streams}"), "tools": [WEATHER]}
    asked["stream"] = streams
    told = [program.client().chat.completions.create(**asked, extra_headers=headers) for headers in ({}, AGAIN)]
    if streams:
        first, again = ([chunk.choices[0] for chunk in each if chunk.choices] for each in told)
        arguments = [
            "".join(choice.delta.tool_calls[0].function.arguments or "" for choice in each if choice.delta.tool_calls)
            for each in (first, again)
        ]
        assert arguments == ['{"city":"Oslo"}'] * 2
        assert again[-1].finish_reason == "tool_calls"
    else:
        assert told[1].choices == told[0].choices
    assert len(model.requests) == 1


def test_one_that_failed_under_a_key_is_told_its_failure(program: Program, model: Provider) -> None:
    model.script(*[Answer(status=400, body={"error": {"message": "no"}})] * 3, Answer(words=["yes"]))
    asked: Any = {"model": MODEL, "messages": conversation("Fails"), "extra_headers": {"Idempotency-Key": "fails"}}
    failures = []
    for _ in range(2):
        with pytest.raises(openai.APIStatusError) as failure:
            program.client().chat.completions.create(**asked)
        failures.append((failure.value.status_code, failure.value.message))
    assert failures[0] == failures[1]
    assert len(model.requests) == 1
