"""What a program hears of a run: its answer as one text, and that the connection is alive while nothing is said."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from ag_ui.core import (
    BaseEvent,
    ReasoningMessageContentEvent,
    RunErrorEvent,
    RunFinishedEvent,
    TextMessageContentEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallStartEvent,
)

from sessions_app.api.auth import TokenCaller
from sessions_app.http_api.errors import ApiError, Gone
from sessions_app.http_api.following import QUIET_SECONDS
from sessions_app.openai_api.following import CallDelta, End, Heard, RunFollower, Words
from sessions_app.realtime.notices import FactNotice, run_notice
from tests.clock import Clock

SESSION, RUN = uuid4(), uuid4()


def follower(*events: BaseEvent, run_id: UUID = RUN) -> RunFollower:
    """A follower that was told these events of a run."""
    made = RunFollower(TokenCaller(1, 1))
    for seq, event in enumerate(events, start=1):
        made.deliver(run_notice(SESSION, run_id, seq, event, began=1))
    return made


def words(text: str) -> TextMessageContentEvent:
    return TextMessageContentEvent(message_id="m", delta=text)


START = TextMessageStartEvent(message_id="m", role="assistant")
THOUGHT = ReasoningMessageContentEvent(message_id="r", delta="hm")
FINISHED = RunFinishedEvent(thread_id=str(SESSION), run_id=str(RUN))


async def heard(of: RunFollower) -> list[Heard]:
    return [each async for each in of.told(SESSION, RUN)]


async def test_steps_are_one_text_and_a_blank_one_is_no_part_of_it() -> None:
    told = await heard(follower(START, words("One"), START, words("\n "), START, words(" "), words("two"), FINISHED))
    assert "".join(each.text for each in told if isinstance(each, Words)) == "One\n\n two"
    assert told[-1] == End(None, [])


async def test_thoughts_tell_once_in_a_while_that_it_goes_on(clock: Clock) -> None:
    assert await heard(follower(*[THOUGHT] * 3, FINISHED)) == [Words(), End(None, [])]
    thinking = follower(THOUGHT)
    told = thinking.told(SESSION, RUN)
    assert await anext(told) == Words()
    clock.advance(QUIET_SECONDS)
    thinking.deliver(run_notice(SESSION, RUN, 2, THOUGHT, began=1))
    assert await anext(told) == Words()


async def test_calls_of_the_programs_own_tools_alone_are_told() -> None:
    def called(call_id: str, name: str) -> list[BaseEvent]:
        start = ToolCallStartEvent(tool_call_id=call_id, tool_call_name=name)
        return [start, ToolCallArgsEvent(tool_call_id=call_id, delta=call_id)]

    made = follower(*called("a", "own"), *called("b", "hosts"), *called("c", "own"), FINISHED)
    made._tools = {"own"}
    told = [each for each in await heard(made) if isinstance(each, CallDelta)]
    assert told == [
        CallDelta(0, "a", "own"), CallDelta(0, "a", arguments="a"),
        CallDelta(1, "c", "own"), CallDelta(1, "c", arguments="c"),
    ]  # fmt: skip


async def test_another_run_is_not_heard() -> None:
    made = follower(START, words("foreign"), FINISHED, run_id=uuid4())
    made.leave()
    with pytest.raises(Gone):
        await heard(made)


async def test_a_failed_run_a_deleted_chat_and_a_lost_token_end_it() -> None:
    for status, end in ((502, None), (404, FactNotice(5, "", SESSION)), (401, "away")):
        made = follower(*([RunErrorEvent(code="provider", message="No.")] if end is None else []))
        if isinstance(end, FactNotice):
            made.deliver(end)
        elif end:
            made.turn_away()
        with pytest.raises(ApiError) as failed:
            await heard(made)
        assert failed.value.status == status
