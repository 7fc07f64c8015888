"""A trail tells whether a conversation goes on from what was sent, whoever sent it."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.agents.cache_ledger.rolling_digest import Mark, RollingDigest

ELEMENTS = st.lists(st.integers(0, 30).map(lambda number: b"%d" % number), max_size=8)


def walked(elements: list[bytes], sent: Mark | None = None) -> RollingDigest:
    trail = RollingDigest(sent)
    trail.feed(elements)
    return trail


@given(ELEMENTS, ELEMENTS)
def test_who_reads_the_same_elements_and_more_goes_on_from_them(said: list[bytes], more: list[bytes]) -> None:
    mark = walked(said).send()
    again = walked([*said, *more], mark)
    assert again.extends(mark) or not said


@given(ELEMENTS.filter(bool), ELEMENTS)
def test_who_reads_others_does_not(said: list[bytes], others: list[bytes]) -> None:
    mark = walked(said).send()
    assert walked(others, mark).extends(mark) == (others[: len(said)] == said)


def test_the_one_that_sent_goes_on_from_each_of_its_requests() -> None:
    trail, marks = RollingDigest(), []
    for number in range(20):
        trail.feed([b"%d" % number])
        marks.append(trail.send())
    assert all(trail.extends(mark) for mark in marks)
    assert not trail.extends(Mark(3, "made up"))


def test_its_size_is_what_its_marks_weigh() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        trail = RollingDigest()
        for number in range(1_000):
            trail.feed([b"%d" % number])
            trail.send()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held / 2 < trail.size < held * 2
