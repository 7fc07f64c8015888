"""How a baseline moves on after our own write. The numbers in the names are the seed's behaviours."""

from agentcache import Baseline, Stamp, rebaseline

OLD, NEW = Stamp(2, 5), Stamp(4, 7)


def test_4_rebaselining_for_session_b_leaves_what_is_known_of_session_a_untouched() -> None:
    of_a = Baseline("A", OLD)
    assert rebaseline(of_a, "B", old=OLD, new=NEW) is of_a


def test_5_rebaselining_for_the_same_session_takes_the_live_value() -> None:
    assert rebaseline(Baseline("A", OLD), "A", old=OLD, new=NEW) == Baseline("A", NEW)


def test_6_an_entry_with_no_snapshot_is_left_alone() -> None:
    assert rebaseline(None, "A", old=OLD, new=NEW) is None


def test_7_a_snapshot_that_names_no_session_can_be_rebaselined_and_is_named_by_it() -> None:
    assert rebaseline(Baseline(None, OLD), "A", old=OLD, new=NEW) == Baseline("A", NEW)


def test_a_foreign_write_before_ours_is_not_absorbed() -> None:
    seen = Baseline("A", Stamp(1, 4))
    assert rebaseline(seen, "A", old=OLD, new=NEW) is seen


def test_a_foreign_rewrite_of_the_same_length_before_ours_is_not_absorbed() -> None:
    seen = Baseline("A", Stamp(OLD.message_count, OLD.revision - 1))
    assert rebaseline(seen, "A", old=OLD, new=NEW) is seen


def test_a_foreign_write_is_not_absorbed_into_a_snapshot_that_names_no_session() -> None:
    seen = Baseline(None, Stamp(1, 4))
    assert rebaseline(seen, "A", old=OLD, new=NEW) is seen
