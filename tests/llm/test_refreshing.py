"""Whether it pays to send a prompt again so that it is kept: by how long pauses have been."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessions_app.llm.cache_clock.costs import MULTIPLES
from sessions_app.llm.cache_clock.pauses import NEVER, Bins, with_pause, with_session
from sessions_app.llm.cache_clock.refreshing import MARGIN_SECONDS, due_at, pays
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.cache_ledger.rolling_digest import START

MINUTE = 60.0
LAST = RequestRecord("", "", "", "", "", START, START, at=1_000.0, kept=5_000, retention=300.0)


def of(*pauses: float) -> Bins:
    bins: Bins = ()
    for seconds in pauses:
        bins = with_pause(bins, seconds)
    return bins


def refreshes(last: RequestRecord, until: float) -> int:
    """How many times a prompt is refreshed in a pause of so many seconds."""
    times = 0
    while (due := due_at(last)) is not None and due < last.at + until and pays(last, MULTIPLES, due):
        last, times = replace(last, refreshed_at=due), times + 1
    return times


def test_a_refresh_is_due_shortly_before_the_end_of_what_is_kept() -> None:
    assert due_at(LAST) == LAST.at + 300 - MARGIN_SECONDS
    assert due_at(replace(LAST, refreshed_at=2_000.0)) == 2_300 - MARGIN_SECONDS


@pytest.mark.parametrize(
    "last",
    [
        replace(LAST, retention=float(Retention.LONG)),
        replace(LAST, retention=float(Retention.NONE)),
        replace(LAST, retention=None),
        replace(LAST, kept=0),
    ],
)
def test_only_what_is_kept_for_minutes_is_refreshed(last: RequestRecord) -> None:
    assert due_at(last) is None
    assert not pays(last, MULTIPLES, last.at + 280)


@pytest.mark.parametrize(
    ("pauses", "is_paying"),
    [
        (of(*[7 * MINUTE] * 6), True),
        (of(*[20.0] * 6, *[8 * MINUTE] * 2), True),
        (of(*[20.0] * 20), True),
        (of(*[15 * MINUTE] * 20), False),
    ],
)
def test_it_pays_where_pauses_end_soon_after(pauses: Bins, is_paying: bool) -> None:
    last = replace(LAST, pauses=pauses, user_pauses=pauses)
    assert pays(last, MULTIPLES, last.at + 280) == is_paying


def test_it_does_not_pay_where_chats_end_after_quick_words() -> None:
    user: Bins = ()
    for _ in range(4):
        user = with_session(user, of(*[20.0] * 15))
    assert not pays(replace(LAST, pauses=of(*[20.0] * 15), user_pauses=user), MULTIPLES, LAST.at + 280)


def test_nobody_is_waited_for_who_never_comes_back() -> None:
    assert refreshes(replace(LAST, user_pauses=NEVER), 86_400.0) == 0


def test_a_pause_without_end_is_given_up_after_few_refreshes() -> None:
    last = replace(LAST, pauses=of(*[7 * MINUTE] * 3))
    assert refreshes(last, 7 * MINUTE) == 1
    assert 1 <= refreshes(last, 86_400.0) <= 5


def test_what_is_forgotten_already_is_not_refreshed() -> None:
    last = replace(LAST, pauses=of(*[7 * MINUTE] * 6))
    assert not pays(last, MULTIPLES, last.at + 300)
    assert not pays(last, MULTIPLES, last.at - 1)


def test_what_an_hour_keeps_anyway_is_not_refreshed() -> None:
    last = replace(LAST, pauses=of(*[7 * MINUTE] * 6), long=LAST.kept, long_until=LAST.at + 3_600)
    assert not pays(last, MULTIPLES, last.at + 280)
