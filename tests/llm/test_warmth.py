"""Whether a provider still keeps a prompt, by its time to live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessions_app.llm.cache_clock.warmth import held_tokens, is_warm
from sessions_app.llm.cache_ledger.requests import Caching
from tests.llm.test_cache_ledger import LAST

FIVE_MINUTES, UNNAMED = Caching(retention=300.0), Caching()


@pytest.mark.parametrize(("age", "warm"), [(0.0, True), (300.0, True), (300.1, False), (-1e9, True)])
def test_a_prompt_is_warm_for_its_time_to_live(age: float, warm: bool) -> None:
    assert is_warm(LAST, FIVE_MINUTES, LAST.at + age) is warm
    assert held_tokens(LAST, FIVE_MINUTES, LAST.at + age) == (LAST.kept if warm else 0)


def test_the_time_that_was_asked_for_counts_before_the_usual_one() -> None:
    hour = replace(LAST, retention=3600.0)
    assert is_warm(hour, FIVE_MINUTES, LAST.at + 3600)
    assert not is_warm(hour, FIVE_MINUTES, LAST.at + 3601)
    assert not is_warm(replace(LAST, retention=0.0), FIVE_MINUTES, LAST.at + 1)


def test_a_provider_that_names_no_time_counts_as_keeping_it() -> None:
    assert is_warm(LAST, UNNAMED, LAST.at + 1e9)


def test_what_was_never_kept_is_cold() -> None:
    assert not is_warm(None, UNNAMED, LAST.at)
    assert not is_warm(replace(LAST, kept=0), UNNAMED, LAST.at)
