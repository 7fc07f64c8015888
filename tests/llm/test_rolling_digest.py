"""A rolling digest tells whether a conversation goes on from what was sent, whoever sent it."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.cache_ledger.rolling_digest import Mark, RollingDigest

ELEMENTS = st.lists(st.integers(0, 30).map(lambda number: b"%d" % number), max_size=8)


def fed(elements: list[bytes], sent: Mark | None = None) -> RollingDigest:
    digest = RollingDigest(sent)
    digest.feed(elements)
    return digest


@given(ELEMENTS.filter(bool), ELEMENTS)
def test_who_reads_the_same_elements_and_more_goes_on_from_them(said: list[bytes], more: list[bytes]) -> None:
    mark = fed(said).send()
    again = fed([*said, *more], mark)
    assert again.extends(mark)


@given(ELEMENTS.filter(bool), ELEMENTS)
def test_who_reads_others_does_not(said: list[bytes], others: list[bytes]) -> None:
    mark = fed(said).send()
    assert fed(others, mark).extends(mark) == (others[: len(said)] == said)


def test_the_one_that_sent_goes_on_from_each_of_its_requests() -> None:
    digest, marks = RollingDigest(), []
    for number in range(20):
        digest.feed([b"%d" % number])
        marks.append(digest.send())
    assert all(digest.extends(mark) for mark in marks)
    assert not digest.extends(Mark(3, "made up"))


@given(ELEMENTS, ELEMENTS, ELEMENTS)
def test_after_a_return_it_is_as_if_the_rest_had_never_come(
    said: list[bytes], rest: list[bytes], others: list[bytes]
) -> None:
    digest = fed(said)
    before = digest.send()
    digest.feed(rest)
    sent = digest.send()
    digest.return_to(said, sent)
    digest.feed(others)
    anew = fed([*said, *others], sent)
    assert digest.extends(before)
    assert digest.extends(sent) == (anew.extends(sent) or sent == before)
    assert digest.send() == anew.send()


def test_its_size_is_what_its_marks_weigh() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        digest = RollingDigest()
        for number in range(1_000):
            digest.feed([b"%d" % number])
            digest.send()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held / 2 < digest.size < held * 2
