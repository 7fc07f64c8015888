"""A view knows when something is missing, and is what session.open would show when nothing is."""

from __future__ import annotations

from typing import Any

from tests.chaos.view import Json, Shown, View

ASKED = {"id": "m1", "role": "user", "text": "Hello", "status": "complete", "position": 0}
WAITS = {"run_id": "run2", "message_id": "m2", "text": "And"}


def fact(name: str, value: Any) -> Json:
    return {"run_id": None, "seq": None, "event": {"type": "CUSTOM", "name": name, "value": value}}


def event(seq: int | None, type_: str, run_id: str = "run1", **more: Any) -> Json:
    return {"run_id": run_id, "seq": seq, "event": {"type": type_, **more}}


def delta(seq: int, text: str, offset: int) -> Json:
    return event(seq, "TEXT_MESSAGE_CONTENT", delta=text, metadata={"offset": offset})


BEGUN = [fact("message.created", ASKED), event(1, "RUN_STARTED"), event(2, "TEXT_MESSAGE_START", messageId="a1")]
TOLD = [*BEGUN, delta(3, "One ", 0), delta(4, "two", 4), event(5, "TEXT_MESSAGE_END")]
FINISHED = event(6, "RUN_FINISHED", outcome={"type": "success"})
WHOLE = Shown((("m1", "user", "Hello", "complete"), ("a1", "assistant", "One two", "complete")), None, ())


def heard(*told: Json) -> tuple[View, list[bool]]:
    view = View()
    return view, [view.take(each) for each in told]


def test_a_turn_that_is_heard_whole() -> None:
    view, taken = heard(*TOLD, FINISHED)
    assert (view.shown(), all(taken)) == (WHOLE, True)


def test_an_event_that_is_missing_is_missed() -> None:
    for missing in range(1, len(TOLD)):
        _, taken = heard(*TOLD[:missing], *TOLD[missing + 1 :], FINISHED)
        assert not all(taken)


def test_an_event_that_comes_again_changes_nothing() -> None:
    view, taken = heard(*(each for told in (*TOLD, FINISHED) for each in (told, told)))
    assert (view.shown(), all(taken), view.repeated) == (WHOLE, True, 6)


def test_a_delta_out_of_place_is_missed() -> None:
    assert heard(*BEGUN, delta(3, "One ", 1))[1][-1] is False


def test_an_end_of_which_nobody_knows_how_far_it_came_is_a_gap() -> None:
    view, taken = heard(*TOLD, event(None, "RUN_ERROR", code="interrupted"))
    assert (view.shown().run, taken[-1]) == (None, False)


def test_an_open_run_goes_on_from_its_seq() -> None:
    view = View()
    run = {"run_id": "run1", "message_id": "a1", "text": "One ", "seq": 3}
    view.adopt({"messages": [ASKED], "run": run, "queued": []})
    assert all(view.take(each) for each in (*TOLD[4:], FINISHED))
    assert view.shown() == WHOLE


def test_how_a_run_ends_is_how_its_answer_stands() -> None:
    for end, status in (
        (event(6, "RUN_FINISHED", outcome={"type": "cancelled"}), "stopped"),
        (event(6, "RUN_ERROR", code="timeout"), "failed"),
        (event(6, "RUN_ERROR", code="interrupted"), "interrupted"),
    ):
        assert heard(*TOLD, end)[0].shown().messages[-1][-1] == status


def test_what_is_queued_waits_until_it_begins_or_is_withdrawn() -> None:
    queued = fact("turn.queued", WAITS)
    begun = fact("message.created", {**ASKED, "id": "m2", "position": 2})
    assert heard(queued, queued)[0].shown().queued == ("run2",)
    began = fact("turn.began", {"session_id": "s1", "run_id": "run2", "status": "running"})
    for end in (begun, began, fact("turn.withdrawn", WAITS)):
        assert heard(queued, end)[0].shown().queued == ()
    assert heard(begun, queued)[0].shown().queued == ()


def test_another_line_has_to_be_fetched() -> None:
    assert heard(*TOLD, FINISHED, fact("branch.selected", {"id": "s1"}))[1][-1] is False


def test_a_message_that_is_told_late_takes_its_place() -> None:
    later = {**ASKED, "id": "m3", "position": 4}
    view, _ = heard(*TOLD, FINISHED, fact("message.created", later), fact("message.created", {**later, "position": 9}))
    view.take(fact("message.created", {**ASKED, "id": "m2", "position": 2}))
    assert [said.id for said in view.messages] == ["m1", "a1", "m2", "m3"]
