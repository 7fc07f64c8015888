"""What the guard says of a baseline and a live stamp. The numbers in the names are the seed's behaviours."""

import pytest

from agentcache import Baseline, Kind, Missing, Stamp, judge

SEEN = Stamp(4, 9)


def test_1_switching_to_another_session_under_the_same_key_reuses_the_agent() -> None:
    verdict = judge(Baseline("A", Stamp(3, 3)), "B", Stamp(0, 0))
    assert not verdict.stale
    assert verdict.reason == "another session's baseline"


def test_2_the_same_session_at_the_same_stamp_is_reused_and_its_transcript_trusted() -> None:
    verdict = judge(Baseline("A", SEEN), "A", SEEN)
    assert not verdict.stale
    assert verdict.trusted
    assert verdict.reason == "same stamp"


def test_3_another_processes_write_to_the_same_session_makes_it_stale() -> None:
    verdict = judge(Baseline("A", SEEN), "A", Stamp(6, 11))
    assert verdict.stale
    assert verdict.reason == "grew by 2 elsewhere"


def test_6_an_entry_with_no_snapshot_is_always_reused() -> None:
    verdict = judge(None, "A", SEEN)
    assert not verdict.stale
    assert verdict.reason == "first turn here"


def test_7_a_snapshot_that_names_no_session_is_still_compared_with_the_live_one() -> None:
    assert judge(Baseline(None, SEEN), "A", Stamp(5, 10)).stale
    assert not judge(Baseline(None, SEEN), "A", SEEN).stale


def test_an_equal_snapshot_that_names_no_session_does_not_vouch_for_a_transcript() -> None:
    verdict = judge(Baseline(None, SEEN), "A", SEEN)
    assert not verdict.trusted
    assert verdict.reason == "same stamp, but of no named session"


def test_another_sessions_snapshot_at_the_same_stamp_does_not_vouch_for_a_transcript() -> None:
    assert not judge(Baseline("A", SEEN), "B", SEEN).trusted


@pytest.mark.parametrize(
    "live",
    [
        pytest.param(Stamp(4, 11), id="same count: edit, or undo and append"),
        pytest.param(Stamp(3, 10), id="fewer rows: undo, compaction"),
        pytest.param(Stamp(6, 13), id="more rows, but some changed as well"),
        pytest.param(Stamp(6, 10), id="more rows in fewer steps than rows: another branch"),
        pytest.param(Stamp(4, 8), id="revision behind ours: a backup was restored"),
        pytest.param(Stamp(3, 8), id="both behind ours: a backup from one append ago"),
    ],
)
def test_whatever_is_no_plain_growth_was_rewritten_elsewhere(live: Stamp) -> None:
    verdict = judge(Baseline("A", SEEN), "A", live)
    assert verdict.stale
    assert not verdict.trusted
    assert verdict.answerable
    assert verdict.reason == "rewritten elsewhere"


@pytest.mark.parametrize("baseline", [None, Baseline("A", SEEN), Baseline(None, SEEN), Baseline("B", SEEN)])
@pytest.mark.parametrize(
    ("live", "reason"), [(Missing.GONE, "session is gone"), (Missing.UNREADABLE, "stamp cannot be read")]
)
def test_without_a_live_stamp_nothing_is_answered_from_memory(
    baseline: Baseline | None, live: Missing, reason: str
) -> None:
    verdict = judge(baseline, "A", live)
    assert verdict.stale
    assert not verdict.trusted
    assert not verdict.answerable
    assert verdict.reason == reason


@pytest.mark.parametrize(
    ("baseline", "session_id", "kind", "trusted"),
    [
        (None, "A", Kind.FIRST, False),
        (Baseline("B", SEEN), "A", Kind.OTHER_SESSION, False),
        (Baseline(None, SEEN), "A", Kind.UNNAMED, False),
        (Baseline("A", SEEN), "A", Kind.SAME, True),
        (Baseline("A", Stamp(3, 8)), "A", Kind.GREW, False),
        (Baseline("A", Stamp(4, 8)), "A", Kind.REWRITTEN, False),
    ],
)
def test_only_this_sessions_own_equal_snapshot_is_trusted_and_any_readable_stamp_is_answerable(
    baseline: Baseline | None, session_id: str, kind: Kind, trusted: bool
) -> None:
    verdict = judge(baseline, session_id, SEEN)
    assert (verdict.kind, verdict.trusted, verdict.answerable) == (kind, trusted, True)
