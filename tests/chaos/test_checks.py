"""Each check finds what it is for: a run in which all is well, broken in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from sessions_app.llm.content.rows import Row
from sessions_app.llm.tools.registry import site_tools
from tests.chaos import checks
from tests.chaos.evidence import Evidence, Seen, StoredMessage, StoredTurn
from tests.chaos.provider import Request
from tests.chaos.users import Doings, Sent
from tests.chaos.view import Shown
from tests.guard.oracle import Oracle

MODEL = "openai-chat:loopback"
CHAT = "00000000-0000-4000-8000-000000000000"
START = datetime(2026, 1, 1, tzinfo=UTC)


def shown(messages: list[StoredMessage]) -> Shown:
    return Shown(tuple((m.id, m.role, m.text, m.status) for m in messages), None, ())


def good() -> Evidence:
    """Two turns of one session, the second stopped after its first word, and a third that was withdrawn."""
    texts, statuses = ["one", "two", "three"], ["complete", "stopped", "withdrawn"]
    sent = [Sent("user0", CHAT, f"m{index}", text, f"run{index}") for index, text in enumerate(texts)]
    turns = [
        StoredTurn(
            f"run{index}", CHAT, f"m{index}", texts[index], status, True, "",
            START + timedelta(seconds=index) if index < 2 else None, START + timedelta(seconds=index + 1),
        )
        for index, status in enumerate(statuses)
    ]  # fmt: skip
    messages = [
        StoredMessage("m0", CHAT, "run0", 0, "user", "one", "complete", None),
        StoredMessage("a0", CHAT, "run0", 1, "assistant", "r0w0 r0w1 ", "complete", None),
        StoredMessage("m1", CHAT, "run1", 2, "user", "two", "complete", None),
        StoredMessage("a1", CHAT, "run1", 3, "assistant", "r1w0 ", "stopped", None),
    ]
    requests = [
        Request(0, {}, "one", ["r0w0 ", "r0w1 "], None, [], whole=True),
        Request(1, {}, "two", ["r1w0 ", "r1w1 "], None, []),
    ]
    doings = Doings(sent=sent, stop_asked={"run1", "run2"})
    seen = [Seen("tab 0", CHAT, shown(messages), shown(messages))]
    return Evidence(
        doings, turns, messages, {CHAT: site_tools().freeze("Be good.", []).to_json()}, {CHAT: 4}, requests, seen
    )


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


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (still_running, checks.everything_ended),
        (never_acknowledged, checks.everything_ended),
        (lost, checks.stored_once),
        (lost_message, checks.stored_once),
        (doubled, checks.stored_once),
        (doubled_turn, checks.stored_once),
        (changed, checks.stored_once),
        (unsaid, checks.stored_once),
        (withdrawn_but_stored, checks.stored_once),
        (left_behind, checks.stored_once),
        (out_of_order, checks.in_order),
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


async def test_a_request_without_an_earlier_message_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "loopback")
    oracle, evidence = Oracle(MODEL), good()
    for request, until in zip(evidence.requests, (1, 3), strict=True):
        rows = [Row(m.role, m.text, (), m.status) for m in evidence.messages[:until]]  # type: ignore[arg-type]
        request.body = json.loads(await oracle.body(UUID(CHAT), evidence.prefixes[CHAT], rows))
    assert await checks.whole_histories(evidence, oracle) == []
    del evidence.requests[1].body["messages"][2]
    assert len(await checks.whole_histories(evidence, oracle)) == 1
    evidence.requests[1].text = "nobody said this"
    assert len(await checks.whole_histories(evidence, oracle)) == 1
