"""Each check finds what it is for: a run in which all is well, broken in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from sessions_app.llm.content.rows import Row
from tests.chaos import checks
from tests.chaos.doings import Sent
from tests.chaos.evidence import Evidence, StoredBudget, StoredMessage
from tests.chaos.good_run import CHAT, START, good, shown
from tests.chaos.histories import whole_histories
from tests.guard.oracle import Oracle

MODEL = "openai-chat:loopback"


def found(evidence: Evidence) -> list[str]:
    """The names of the checks that find something."""
    return [check.__name__ for check in checks.CHECKS if list(check(evidence))]


def test_a_good_run_is_found_good() -> None:
    assert found(good()) == []


def still_running(evidence: Evidence) -> None:
    evidence.turns[1] = replace(evidence.turns[1], status="running", ended_at=None)


def never_acknowledged(evidence: Evidence) -> None:
    evidence.doings.unacknowledged.append(Sent("user0", CHAT, "m9", "four"))


def lost(evidence: Evidence) -> None:
    evidence.doings.sent.append(Sent("user0", CHAT, "m9", "four", "run9"))


def lost_message(evidence: Evidence) -> None:
    del evidence.messages[2]


def doubled(evidence: Evidence) -> None:
    evidence.messages.append(replace(evidence.messages[0], position=4))


def doubled_turn(evidence: Evidence) -> None:
    evidence.turns.append(replace(evidence.turns[2], run_id="run9"))


def changed(evidence: Evidence) -> None:
    evidence.messages[0] = replace(evidence.messages[0], text="One")


def unsaid(evidence: Evidence) -> None:
    del evidence.doings.sent[2]


def withdrawn_but_stored(evidence: Evidence) -> None:
    evidence.messages.append(StoredMessage("m2", CHAT, "run2", 4, "user", "three", "complete", None))


def left_behind(evidence: Evidence) -> None:
    evidence.doings.deleted.add(CHAT)
    evidence.prefixes.clear()


def out_of_order(evidence: Evidence) -> None:
    evidence.messages[2] = replace(evidence.messages[2], position=-1)


def out_of_order_in_another_line(evidence: Evidence) -> None:
    evidence.messages.append(replace(evidence.messages[2], position=7, branch="edited"))


def regenerated_by_nobody(evidence: Evidence) -> None:
    evidence.doings.regenerations.clear()


def regenerated_of_nothing(evidence: Evidence) -> None:
    evidence.turns[3] = replace(evidence.turns[3], message_id="m9")


def edited_over(evidence: Evidence) -> None:
    del evidence.messages[0]


def edited_twice(evidence: Evidence) -> None:
    evidence.turns.append(replace(evidence.turns[4], run_id="run9"))


def perhaps_in_part(evidence: Evidence) -> None:
    evidence.doings.perhaps.append(evidence.doings.sent.pop())
    evidence.messages = [message for message in evidence.messages if message.id != "m4"]


def miscounted(evidence: Evidence) -> None:
    evidence.counted[CHAT] = 5


def cut_short(evidence: Evidence) -> None:
    evidence.messages[1] = replace(evidence.messages[1], text="r0w0 ")


def sent_in_part(evidence: Evidence) -> None:
    evidence.requests[0].whole = False


def torn(evidence: Evidence) -> None:
    evidence.messages[3] = replace(evidence.messages[3], text="r1w1 ")


def of_another(evidence: Evidence) -> None:
    evidence.messages[3] = replace(evidence.messages[3], text="r0w0 ")


def beyond_the_fault(evidence: Evidence) -> None:
    evidence.requests[1].fails_at = 0


def of_another_status(evidence: Evidence) -> None:
    evidence.messages[3] = replace(evidence.messages[3], status="failed")


def unanswered(evidence: Evidence) -> None:
    del evidence.messages[1]


def answered_twice(evidence: Evidence) -> None:
    evidence.messages.append(replace(evidence.messages[3], id="a9", position=4))


def stopped_by_nobody(evidence: Evidence) -> None:
    evidence.doings.stop_asked.remove("run1")


def withdrawn_by_nobody(evidence: Evidence) -> None:
    evidence.doings.stop_asked.remove("run2")


def overlapping(evidence: Evidence) -> None:
    evidence.turns[1] = replace(evidence.turns[1], started_at=START)


def asked_beside(evidence: Evidence) -> None:
    evidence.requests[1].beside.append(0)


def asked_beside_one_that_was_interrupted_in_order(evidence: Evidence) -> None:
    evidence.turns[0] = replace(evidence.turns[0], status="interrupted")
    evidence.messages[1] = replace(evidence.messages[1], status="interrupted")
    evidence.requests[1].beside.append(0)


def another_view(evidence: Evidence) -> None:
    evidence.seen[0] = replace(evidence.seen[0], here=shown(evidence.messages[:3]))


def dangling(evidence: Evidence) -> None:
    left = replace(evidence.seen[0].fresh, queued=("run2",))
    evidence.seen[0] = replace(evidence.seen[0], here=left, fresh=left)


def thought_deleted(evidence: Evidence) -> None:
    evidence.seen[0] = replace(evidence.seen[0], here=None)


def left_reserved(evidence: Evidence) -> None:
    evidence.budgets.append(StoredBudget("user0", 5, 1, 5))


def settled_twice(evidence: Evidence) -> None:
    evidence.budgets.append(StoredBudget("user0", 10, 0, 5))


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (still_running, checks.everything_ended),
        (never_acknowledged, checks.everything_ended),
        (lost, checks.stored_once),
        (lost_message, checks.stored_once),
        (left_reserved, checks.budgets_settled),
        (settled_twice, checks.budgets_settled),
        (doubled, checks.stored_once),
        (doubled_turn, checks.stored_once),
        (changed, checks.stored_once),
        (unsaid, checks.stored_once),
        (withdrawn_but_stored, checks.stored_once),
        (left_behind, checks.stored_once),
        (out_of_order, checks.in_order),
        (out_of_order_in_another_line, checks.in_order),
        (regenerated_by_nobody, checks.regenerated_as_asked),
        (regenerated_of_nothing, checks.regenerated_as_asked),
        (edited_over, checks.stored_once),
        (edited_twice, checks.stored_once),
        (perhaps_in_part, checks.stored_once),
        (miscounted, checks.counted),
        (cut_short, checks.answered_truly),
        (sent_in_part, checks.answered_truly),
        (torn, checks.answered_truly),
        (of_another, checks.answered_truly),
        (beyond_the_fault, checks.answered_truly),
        (of_another_status, checks.answered_truly),
        (unanswered, checks.answered_truly),
        (answered_twice, checks.answered_truly),
        (stopped_by_nobody, checks.ended_by_somebody),
        (withdrawn_by_nobody, checks.ended_by_somebody),
        (overlapping, checks.one_at_a_time),
        (asked_beside, checks.one_request_at_a_time),
        (asked_beside_one_that_was_interrupted_in_order, checks.one_request_at_a_time),
        (another_view, checks.views_agree),
        (dangling, checks.views_agree),
        (thought_deleted, checks.views_agree),
    ],
)
def test_what_is_broken_is_found(broken: Callable[[Evidence], None], check: checks.Check) -> None:
    evidence = good()
    broken(evidence)
    assert check.__name__ in found(evidence)


def test_a_request_beside_one_whose_process_lost_its_turn_is_no_fault() -> None:
    evidence = good()
    asked_beside_one_that_was_interrupted_in_order(evidence)
    evidence.turns[0] = replace(evidence.turns[0], told=False)
    assert found(evidence) == []


@pytest.mark.parametrize("is_stored", [True, False])
def test_an_edit_that_was_perhaps_carried_out_is_no_fault(is_stored: bool) -> None:
    evidence = good()
    evidence.doings.perhaps.append(evidence.doings.sent.pop())
    if not is_stored:
        del evidence.turns[4], evidence.messages[-2:], evidence.requests[3]
        evidence.counted[CHAT] = 5
        evidence.seen.clear()
    assert found(evidence) == []


async def test_a_request_without_an_earlier_message_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "loopback")
    oracle, evidence = Oracle(MODEL), good()
    lines = {name: evidence.line(branch) for name, branch in evidence.branches.items()}
    asked = (lines["main"][:1], lines["main"][:3], lines["again"][:3], lines["edited"][:1])
    for request, line in zip(evidence.requests, asked, strict=True):
        rows = [Row(m.role, m.text, (), m.status) for m in line]  # type: ignore[arg-type]
        request.body = json.loads(await oracle.body(UUID(CHAT), evidence.prefixes[CHAT], rows))
    assert await whole_histories(evidence, oracle) == []
    del evidence.requests[1].body["messages"][2]
    assert len(await whole_histories(evidence, oracle)) == 1
    evidence.requests[1].text = "nobody said this"
    assert len(await whole_histories(evidence, oracle)) == 1
