"""Each shortfall of a provider's cache has the name of who caused it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.cache_ledger.entries import SLACK, Entry, miss_of
from sessions_app.llm.cache_ledger.requests import DIGESTS, Caching, Compared, RequestRecord, frozen_digest, kept_of
from sessions_app.llm.cache_ledger.rolling_digest import START, Mark, RollingDigest
from sessions_app.llm.usage import Usage

LAST = RequestRecord(
    "m",
    "prefix",
    "prompt",
    "tools",
    "software",
    Mark(9, "rows"),
    Mark(99, "wire"),
    at=1_000.0,
    kept=5_000,
    digests=DIGESTS,
)
GROWN, REWRITTEN, OTHER_BYTES = Compared(True, True), Compared(False, False), Compared(True, False)
FOUND, MISSED = Usage(input_tokens=6_000, cached_tokens=4_900), Usage(input_tokens=6_000, cached_tokens=1_000)


def miss(
    compared: Compared | None = GROWN,
    usage: Usage = MISSED,
    *,
    last: RequestRecord | None = LAST,
    reported: bool = True,
    applied: str = "",
    retention: float | None = 300.0,
    **changed: Any,
) -> Cause | None:
    this = replace(LAST, **{"at": 1_010.0, **changed})
    return miss_of(last, this, compared, usage, reported=reported, applied=applied, caching=Caching(retention))


def test_the_first_request_of_a_session_is_a_miss_by_itself() -> None:
    assert miss(None, last=None) == Cause.FIRST


def test_what_was_found_needs_no_cause_whatever_has_changed() -> None:
    assert miss(REWRITTEN, FOUND, model="other", software="other", prefix="other") is None


@pytest.mark.parametrize(("missing", "cause"), [(SLACK, None), (SLACK + 1, Cause.EVICTED)])
def test_a_few_tokens_may_be_missing(missing: int, cause: Cause | None) -> None:
    assert miss(usage=Usage(input_tokens=6_000, cached_tokens=LAST.kept - missing)) == cause


def test_another_model_reads_everything_anew() -> None:
    assert miss(model="other", prefix="other", software="other") == Cause.MODEL


def test_an_applied_profile_is_told_from_one_changed_by_hand() -> None:
    assert miss(prompt="new", prefix="other", applied=frozen_digest("new", "tools")) == Cause.PROFILE
    assert miss(prompt="new", prefix="other", applied=frozen_digest("older", "tools")) == Cause.PROMPT
    assert miss(tools="new", prefix="other") == Cause.TOOLS


@pytest.mark.parametrize("prefix", ["prefix", "other"])
def test_other_bytes_of_the_same_rows_are_the_softwares_where_it_is_another(prefix: str) -> None:
    assert miss(OTHER_BYTES, prefix=prefix, software="other") == Cause.SOFTWARE


@pytest.mark.parametrize(("compared", "prefix"), [(OTHER_BYTES, "prefix"), (GROWN, "other")])
def test_other_bytes_of_the_same_rows_by_the_same_software_are_the_hosts_fault(compared: Compared, prefix: str) -> None:
    assert miss(compared, prefix=prefix) == Cause.HOST


def test_other_rows_are_an_edit_after_an_upgrade_too() -> None:
    assert miss(REWRITTEN) == Cause.EDITED
    assert miss(REWRITTEN, software="other") == Cause.EDITED
    assert miss(REWRITTEN, software="other", prefix="other") == Cause.SOFTWARE


def test_what_nobody_changed_the_provider_has_forgotten() -> None:
    assert miss(at=1_300.0) == Cause.EVICTED
    assert miss(at=1_300.1) == Cause.EXPIRED
    assert miss(at=1_300.1, retention=None) == Cause.EVICTED
    assert miss(reported=False) == Cause.UNREPORTED


def test_every_cause_has_its_words() -> None:
    assert len({cause.sentence for cause in Cause}) == len(Cause)


def test_a_request_comes_back_from_its_text() -> None:
    assert RequestRecord.from_json(LAST.to_json()) == LAST


NONE = ["", "{", "[]", "null", "[" * 100_000, '{"model":"m"}']
OTHER = [("kept", "left"), ("5000", "null"), ("5000", '"many"'), ("1000.0", "[]"), ('[9,"rows"]', '"no"')]


@pytest.mark.parametrize("text", [*NONE, *(LAST.to_json().replace(*change) for change in OTHER)], ids=lambda _: "")
def test_what_another_version_wrote_is_no_request(text: str) -> None:
    assert RequestRecord.from_json(text) is None


USAGE = Usage(input_tokens=2_000, cached_tokens=1_200, cache_write_tokens=300)


@pytest.mark.parametrize(
    ("usage", "caching", "kept"),
    [
        (USAGE, Caching(writes=True), 1_500),
        (replace(USAGE, cached_tokens=0, cache_write_tokens=0), Caching(writes=True), 0),
        (replace(USAGE, cache_write_tokens=0), Caching(), 2_000),
        (replace(USAGE, input_tokens=1_023, cache_write_tokens=0), Caching(minimum=1_024), 0),
        (USAGE, Caching(minimum=1_024), 1_500),
    ],
)
def test_what_the_next_request_may_expect(usage: Usage, caching: Caching, kept: int) -> None:
    assert kept_of(usage, caching) == kept


def test_the_parts_of_a_usage_sum_to_what_was_counted() -> None:
    usage = replace(USAGE, output_tokens=70, reasoning_tokens=30)
    assert usage.fresh_tokens + usage.cache_write_tokens + usage.cached_tokens == usage.input_tokens
    assert usage.answer_tokens + usage.reasoning_tokens == usage.output_tokens


def test_a_turn_has_the_first_miss_of_its_requests() -> None:
    turn = Entry("a", 10, None) + Entry("b", 20, Cause.EDITED) + Entry("c", 30, Cause.EVICTED)
    assert (turn.prefix, turn.expected, turn.miss) == ("c", 60, Cause.EDITED)


def test_a_first_turn_does_not_hide_what_a_later_request_of_it_lost() -> None:
    first, found, lost = Entry("a", 0, Cause.FIRST), Entry("a", 20, None), Entry("a", 30, Cause.HOST)
    assert (first + found).miss == Cause.FIRST
    assert (first + found + lost).miss == Cause.HOST


def test_a_cause_of_a_newer_version_is_another_one() -> None:
    assert Cause("moonlight") is Cause.OTHER


def test_of_an_earlier_releases_record_no_rows_are_known() -> None:
    """It has digests of rows that no transcript has any more: what its rows were is not known."""
    on_the_wire = replace(LAST, digests=1)
    assert RequestRecord.from_json(on_the_wire.to_json()) == replace(on_the_wire, rows=START)
    as_objects = replace(on_the_wire, wire=LAST.rows)
    assert RequestRecord.from_json(as_objects.to_json()) == replace(as_objects, rows=START, wire=START)
    assert RollingDigest().extends(START)
