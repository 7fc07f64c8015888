"""For how long a prompt is to be kept: the pauses that are remembered, what each choice costs, and which is taken."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.cache_clock.choice import choose
from sessions_app.llm.cache_clock.costs import HORIZON, MULTIPLES, Prompt, expected_costs
from sessions_app.llm.cache_clock.pauses import (
    BINS,
    EDGES,
    SESSION_WEIGHT,
    USER_WEIGHT,
    USUAL,
    Bins,
    share_within,
    shares,
    sound,
    with_pause,
    with_session,
)
from sessions_app.llm.cache_clock.records import decide, earlier_pauses, entered, prompt_of
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_clock.warmth import held_tokens
from sessions_app.llm.cache_ledger.prices import CachePrices
from sessions_app.llm.cache_ledger.requests import Caching, RequestRecord
from tests.llm.test_cache_ledger import LAST

ANTHROPIC = Caching(retention=300.0, writes=True)
SHORT, LONG, NONE = Retention.SHORT, Retention.LONG, Retention.NONE
MINUTE, HOUR = 60.0, 3600.0

any_number = st.floats(allow_nan=True, allow_infinity=True)
pauses = st.lists(any_number | st.floats(0, 200_000), max_size=60)
amounts = st.floats(0, 1e6)
prompts = st.builds(Prompt, any_number.filter(isfinite), any_number.filter(isfinite), amounts, any_number)
prices = st.builds(
    lambda fresh, read, short, long: CachePrices(fresh, fresh * read, fresh * short, fresh * (short + long)),
    st.floats(0, 1e-3),
    st.floats(0, 1),
    st.floats(1, 3),
    st.floats(0, 3),
)


def session_of(lengths: list[float]) -> Bins:
    bins: Bins = ()
    for seconds in lengths:
        bins = with_pause(bins, seconds)
    return bins


@st.composite
def expectations(draw: st.DrawFn) -> Bins:
    """What is expected of the next pause, after any pauses of any sessions."""
    user: Bins = ()
    for earlier in draw(st.lists(pauses, max_size=4)):
        user = with_session(user, session_of(earlier))
    return shares(session_of(draw(pauses)), user)


@given(pauses, pauses)
def test_what_is_remembered_is_bounded_whatever_the_clock_says(session: list[float], earlier: list[float]) -> None:
    bins, user = session_of(session), with_session((), session_of(earlier))
    for stored, weight in ((bins, SESSION_WEIGHT), (user, USER_WEIGHT)):
        assert len(stored) in (0, BINS)
        assert sum(stored) <= weight + BINS / 1000
        assert sound(stored) == stored
        assert len(str(list(stored))) < 120


@given(expectations(), any_number)
def test_shares_are_probabilities(expected: Bins, seconds: float) -> None:
    assert sum(expected) == pytest.approx(1)
    assert min(expected) >= 0
    assert 0 <= share_within(expected, seconds) <= 1


@given(expectations(), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_longer_time_holds_more_pauses(expected: Bins, one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    assert share_within(expected, shorter) <= share_within(expected, longer) + 1e-12


def test_pauses_that_are_no_time_count_for_nothing() -> None:
    bins = session_of([60.0])
    assert [with_pause(bins, odd) for odd in (nan, inf, -inf, -1.0)] == [bins] * 4


def test_bins_end_with_their_seconds() -> None:
    assert [session_of([edge]).index(1.0) for edge in EDGES] == list(range(BINS - 1))
    assert session_of([EDGES[-1] + 1]).index(1.0) == BINS - 1


@pytest.mark.parametrize("stored", [(1.0,), (nan,) * BINS, (-1.0,) * BINS, (inf,) * BINS, (1e9,) * BINS])
def test_what_is_no_histogram_counts_as_none(stored: tuple[float, ...]) -> None:
    assert sound(stored) == ()


def test_new_pauses_take_the_place_of_old_ones() -> None:
    changed = session_of([20.0] * 100 + [1000.0] * 60)
    assert share_within(shares(changed, ()), 300.0) < 0.25
    assert share_within(shares(session_of([20.0] * 100), ()), 300.0) > 0.9


def test_a_user_whose_sessions_end_at_once_is_not_expected_to_come_back() -> None:
    user: Bins = ()
    for _ in range(40):
        user = with_session(user, ())
    assert share_within(shares((), user), HOUR) < 0.1 < share_within(USUAL, HOUR)


@given(prompts, prices, expectations())
def test_the_choice_is_expected_to_cost_no_more_than_either_fixed_policy(
    prompt: Prompt, paid: CachePrices, expected: Bins
) -> None:
    costs = expected_costs(prompt, paid, expected)
    choice = choose(prompt, paid, expected)
    assert all(isfinite(cost) and cost >= 0 for cost in costs.values())
    assert costs[choice.retention] <= min(costs[SHORT], costs[LONG])
    assert 0 < len(choice.reason) <= 120


def always(retention: Retention, prompt: Prompt, paid: CachePrices, expected: Bins) -> float:
    """What a session costs from this request on, which finds nothing of an hour, if each request keeps it as long."""
    write = paid.long_write if retention is LONG else paid.short_write
    kept, ever = share_within(expected, retention), max(share_within(expected, HOUR), 1 - expected[-1])
    cold = warm = 0.0
    for _ in range(HORIZON):
        ahead = kept * warm + (ever - kept) * cold
        cold, warm = write + ahead, paid.read * (1 - prompt.growth) + write * prompt.growth + ahead
    new = prompt.tokens - prompt.found
    return paid.read * prompt.found + write * new + prompt.tokens * (kept * warm + (ever - kept) * cold)


@given(st.floats(0, 1e6), st.floats(0, 1), prices, expectations())
def test_nor_do_the_choices_of_a_whole_session(tokens: float, found: float, paid: CachePrices, expected: Bins) -> None:
    prompt = Prompt(tokens, found * tokens)
    chosen = min(expected_costs(prompt, paid, expected).values())
    for retention in (SHORT, LONG):
        assert chosen <= always(retention, prompt, paid, expected) * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize(
    ("lengths", "prompt", "retention"),
    [
        ([20.0] * 20, Prompt(5_000, 2_500), SHORT),
        ([900.0] * 10, Prompt(5_000, 4_500), LONG),
        ([900.0] * 10, Prompt(5_000), LONG),
        ([20.0] * 8 + [900.0] * 2, Prompt(5_000, 4_800), LONG),
        ([20.0] * 8 + [900.0] * 2, Prompt(5_000, 4_800, 4_700, HOUR), SHORT),
        ([90_000.0] * 15, Prompt(5_000), NONE),
    ],
)
def test_the_cheapest_choice_for_some_people(lengths: list[float], prompt: Prompt, retention: Retention) -> None:
    assert choose(prompt, MULTIPLES, shares(session_of(lengths), ())).retention is retention


def test_a_person_can_read_the_reason() -> None:
    choice = choose(Prompt(5_000, 4_500), MULTIPLES, shares(session_of([200.0, 500.0] * 10), ()))
    said = "pauses of 2 minutes to 10 minutes (44% between 5 minutes and 1 hour)"
    assert choice.reason == f"{said}: an hour's cache is cheaper"


def after(last: RequestRecord | None, pause: float, retention: Retention, cached: int = 5_000) -> RequestRecord:
    """The record of a request after a pause, for which so long was chosen."""
    at = (last.at if last else 0.0) + pause
    choice = replace(choose(Prompt(1), MULTIPLES, USUAL), retention=retention)
    return entered(replace(LAST, at=at, kept=5_000, tokens=5_100), last, choice, (), cached, ANTHROPIC)


def test_what_an_hour_was_paid_for_is_still_held_when_the_rest_is_not() -> None:
    long = after(None, 0, LONG, 0)
    short = replace(after(long, 60, SHORT), kept=6_000)
    now = short.at + 10 * MINUTE
    assert held_tokens(short, ANTHROPIC, short.at + 5 * MINUTE) == 6_000
    assert held_tokens(short, ANTHROPIC, now) == 5_000
    assert held_tokens(short, ANTHROPIC, short.at + HOUR + 1) == 0
    assert prompt_of(short, 100, ANTHROPIC, now) == Prompt(6_100, 5_000, 5_000, short.at + HOUR - now)


def test_what_is_found_by_the_hours_place_is_kept_on_from_then() -> None:
    short = replace(after(after(None, 0, LONG, 0), 60, SHORT), kept=6_000)
    soon, late = after(short, MINUTE, SHORT, 6_000), after(short, 20 * MINUTE, SHORT)
    assert (soon.long, soon.long_until) == (5_000, short.at + HOUR)
    assert (late.long, late.long_until) == (5_000, late.at + HOUR)


def test_what_was_not_found_is_no_longer_counted_on() -> None:
    lost = after(after(None, 0, LONG, 0), 60, SHORT, cached=1_000)
    assert (lost.long, lost.long_until) == (0, 0.0)


def test_a_conversation_that_was_not_written_is_expected_nowhere() -> None:
    unwritten = after(None, 0, NONE, 0)
    assert (unwritten.kept, held_tokens(unwritten, ANTHROPIC, unwritten.at)) == (0, 0)


@given(pauses, st.sampled_from(Retention), st.integers(0, 10_000), any_number)
def test_a_choice_can_be_made_after_any_record(
    lengths: list[float], retention: Retention, cached: int, now: float
) -> None:
    record: RequestRecord | None = None
    for seconds in lengths:
        record = after(record, seconds, retention, cached)
    stored = RequestRecord.from_json(record.to_json()) if record else None
    assert decide(stored, prompt_of(stored, 10, ANTHROPIC, now), MULTIPLES, (), now).retention in Retention
    assert sound(earlier_pauses(stored)) == earlier_pauses(stored)


def test_a_new_session_begins_with_the_pauses_of_those_before() -> None:
    first = after(after(None, 0, SHORT), 900, SHORT)
    second = entered(LAST, None, choose(Prompt(1), MULTIPLES, USUAL), earlier_pauses(first), 0, ANTHROPIC)
    third = entered(LAST, None, choose(Prompt(1), MULTIPLES, USUAL), earlier_pauses(second), 0, ANTHROPIC)
    assert third.pauses == ()
    assert [weight for weight in third.user_pauses if weight] == [1.0, 2.0]
    assert RequestRecord.from_json(third.to_json()) == third
