"""What is paid and saved, at genai-prices' prices; and no price where there is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from genai_prices import Usage as Priced
from genai_prices import calc_price

from sessions_app.llm.cache_ledger.prices import input_price, price_of
from sessions_app.llm.usage import Usage

ANTHROPIC, OPENAI = "https://api.anthropic.com", "https://api.openai.com/v1/"


def fresh(tokens: int, model: str, url: str) -> Decimal:
    return calc_price(Priced(input_tokens=tokens), model, provider_api_url=url).total_price


@pytest.mark.parametrize(("model", "url"), [("claude-sonnet-4-5", ANTHROPIC), ("gpt-5-mini-2025-08-07", OPENAI)])
def test_a_cached_token_costs_a_tenth(model: str, url: str) -> None:
    price = price_of(Usage(input_tokens=100_000, cached_tokens=100_000), model, url)
    assert price is not None
    assert price.cost == fresh(10_000, model, url)
    assert price.saved == fresh(90_000, model, url)


def test_what_is_written_to_a_cache_and_never_read_is_a_loss() -> None:
    price = price_of(Usage(input_tokens=100_000, cache_write_tokens=100_000), "claude-sonnet-4-5", ANTHROPIC)
    assert price is not None
    assert price.saved == -fresh(25_000, "claude-sonnet-4-5", ANTHROPIC)


@pytest.mark.parametrize(
    ("model", "url"),
    [("gpt-5-mini", "http://127.0.0.1:8080/v1"), ("gpt-5-mini", ""), ("nobody-knows-it", OPENAI), ("", OPENAI)],
)
def test_an_unknown_model_or_address_has_no_price(model: str, url: str) -> None:
    assert price_of(Usage(input_tokens=1_000, output_tokens=10), model, url) is None


def test_counts_that_contradict_each_other_have_no_price() -> None:
    assert price_of(Usage(input_tokens=10, cached_tokens=1_000), "gpt-5-mini", OPENAI) is None


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("openai:gpt-5-mini", 0.25),
        ("openai-chat:gpt-5-mini", 0.25),
        ("anthropic:claude-sonnet-4-5", 3.0),
        ("openai:nobody-knows", None),
        ("ollama:llama3.2", None),
        ("demo", None),
    ],
)
def test_the_price_of_a_prompt_is_known_before_it_is_sent(model: str, price: float | None) -> None:
    assert input_price(model) == price


def test_a_server_of_ones_own_has_no_price_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1")
    assert input_price("openai-chat:gpt-5-mini") is None


def test_a_profiles_own_server_has_its_own_price(monkeypatch: pytest.MonkeyPatch) -> None:
    assert input_price("openai:gpt-5-mini", "https://models.example.org/v1") is None
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1")
    assert input_price("openai-chat:gpt-5-mini", OPENAI) == 0.25
