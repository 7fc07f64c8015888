"""AG-UI's order of events, also of a stream of which some were missed."""

from __future__ import annotations

from typing import Any

import pytest

from sessions_app.agui_api.grammar import Event, Grammar

START: Event = {"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"}
END: Event = {"type": "TEXT_MESSAGE_END", "messageId": "m"}
CALL: Event = {"type": "TOOL_CALL_START", "toolCallId": "c", "toolCallName": "f"}
ARGS: Event = {"type": "TOOL_CALL_ARGS", "toolCallId": "c", "delta": "{}"}
CALL_END: Event = {"type": "TOOL_CALL_END", "toolCallId": "c"}
RESULT: Event = {"type": "TOOL_CALL_RESULT", "toolCallId": "c", "messageId": "t", "content": "x"}
SPAN: Event = {"type": "REASONING_START", "messageId": "r"}
THOUGHT: Event = {"type": "REASONING_MESSAGE_START", "messageId": "r"}
THINKS: Event = {"type": "REASONING_MESSAGE_CONTENT", "messageId": "r", "delta": "hm"}
THOUGHT_END: Event = {"type": "REASONING_MESSAGE_END", "messageId": "r"}
SPAN_END: Event = {"type": "REASONING_END", "messageId": "r"}
STEP: Event = {"type": "STEP_STARTED", "stepName": "summary"}
STEP_END: Event = {"type": "STEP_FINISHED", "stepName": "summary"}
FINISHED: Event = {"type": "RUN_FINISHED"}


def words(delta: str, offset: int) -> Event:
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": delta, "metadata": {"offset": offset}}


WHOLE = [STEP, STEP_END, SPAN, THOUGHT, THINKS, THOUGHT_END, SPAN_END, START, words("ab", 0), words("c", 2)]
WHOLE += [CALL, ARGS, CALL_END, RESULT, END, FINISHED]


def told(*events: Event) -> tuple[list[Event], bool]:
    grammar = Grammar()
    return [each for event in events for each in grammar.put(event)], grammar.is_whole


def check(events: list[Event]) -> None:
    """Refuse what AG-UI's clients refuse: what is open twice, goes on or ends unopened, or is open at the end."""
    pairs = {"TEXT_MESSAGE": "messageId", "TOOL_CALL": "toolCallId", "REASONING_MESSAGE": "messageId"}
    pairs |= {"REASONING": "messageId", "STEP": "stepName"}
    is_open: set[tuple[str, Any]] = set()
    for event in events:
        if event["type"] in ("RUN_FINISHED", "TOOL_CALL_RESULT"):
            continue
        kind, _, place = event["type"].rpartition("_")
        key = (kind, event[pairs[kind]])
        assert (key in is_open) == (place not in ("START", "STARTED")), event
        is_open.add(key)
        if place in ("END", "FINISHED"):
            is_open.remove(key)
    assert not is_open


def test_a_whole_stream_is_told_as_it_is() -> None:
    assert told(*WHOLE) == (WHOLE, True)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_whatever_is_lost_what_is_told_is_in_order(lost: int) -> None:
    for first in range(len(WHOLE) - 1):
        events = WHOLE[:first] + WHOLE[min(first + lost, len(WHOLE) - 1) :]
        check(told(*events)[0])


def test_what_belongs_to_something_missed_is_left_out() -> None:
    for rest in ([ARGS, CALL_END], [RESULT], [THINKS, THOUGHT_END, SPAN_END]):
        assert told(*rest, FINISHED) == ([FINISHED], False)


def test_a_text_that_was_begun_unheard_is_begun() -> None:
    assert told(words("ab", 0), END, FINISHED) == ([START, words("ab", 0), END, FINISHED], True)
    assert told(words("c", 2), END, FINISHED) == ([START, words("c", 2), END, FINISHED], False)


def test_what_is_open_at_the_end_is_closed() -> None:
    assert told(STEP, START, CALL, FINISHED)[0] == [STEP, START, CALL, CALL_END, END, STEP_END, FINISHED]
