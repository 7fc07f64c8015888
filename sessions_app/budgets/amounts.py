"""Tokens and money as budgets count them: whole numbers of a unit. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.cache_ledger.prices import TokenPrices
from sessions_app.llm.usage import Usage
from sessions_app.models import Unit
from sessions_app.models.budgets import NANODOLLARS

# Of a billionth of a dollar: what floats say behind these is how floats are.
_EXACT_DIGITS = 3
UNLIMITED = 1_000_000_000
"""Tokens of an answer that no budget bounds."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used: ``tokens`` of prompts and answers, and billionths of a US dollar.

    ``is_priced``: the price of all of it is known. Where it is not, the money is that of the rest.
    """

    tokens: int = 0
    nanodollars: int = 0
    is_priced: bool = True

    def __add__(self, other: Cost) -> Cost:
        """Return the sum of both."""
        is_priced = self.is_priced and other.is_priced
        return Cost(self.tokens + other.tokens, self.nanodollars + other.nanodollars, is_priced)

    def in_unit(self, unit: str) -> int:
        """Return it as a budget of this unit counts it."""
        return self.tokens if unit == Unit.TOKENS else self.nanodollars


def nanodollars_of(dollars: Decimal) -> int:
    """Return US dollars as budgets count them, rounded up."""
    return ceil(dollars * NANODOLLARS)


def dollars_of(nanodollars: int) -> Decimal:
    """Return what budgets count as US dollars."""
    return Decimal(nanodollars) / NANODOLLARS


def counted(usage: Usage, entry: Entry | None) -> Cost:
    """Return what a provider has counted, with its price, where that is known."""
    tokens = usage.input_tokens + usage.output_tokens
    if entry is None or entry.cost is None:
        return Cost(tokens, is_priced=not tokens)
    return Cost(tokens, nanodollars_of(entry.cost))


def estimated(tokens: int, dollars: Decimal) -> Cost:
    """Return what requests have cost that nobody has counted; no dollars where no price is known."""
    return Cost(tokens, nanodollars_of(dollars), is_priced=bool(dollars) or not tokens)


def cost_of(prices: TokenPrices | None, prompt: int, answer: int) -> Cost:
    """Return what so many tokens of a prompt and of its answer cost at most."""
    if prices is None:
        return Cost(prompt + answer, is_priced=prompt + answer == 0)
    dollars = prompt * prices.prompt + answer * prices.answer
    return Cost(prompt + answer, ceil(round(dollars * NANODOLLARS, _EXACT_DIGITS)))


def answer_within(left: int, unit: str, prices: TokenPrices | None) -> int:
    """Return the tokens of the longest answer that costs no more than what is ``left`` of a budget."""
    if unit == Unit.TOKENS:
        return left
    if left > 0 and (prices is None or not prices.answer):
        return UNLIMITED  # nobody knows what it costs, or it costs nothing
    if left <= 0 or prices is None:
        return left
    return floor(round(left / (prices.answer * NANODOLLARS), _EXACT_DIGITS))
