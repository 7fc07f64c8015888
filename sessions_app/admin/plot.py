"""A plot of some days: tokens as bars, money as a line. Only geometry; a template draws it (``plot.html``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, log10

# In the units of the template's viewBox, which is 920 wide and 200 high.
LEFT, RIGHT, TOP, BOTTOM = 52, 868, 16, 176
STEPS = 4
_IN_WIDTH, _OUT_WIDTH, _GAP = 24, 9, 3


@dataclass(frozen=True, slots=True)
class Day:
    """What the turns of a day have used."""

    day: date
    tokens_in: int
    tokens_out: int
    dollars: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, in the plot's own units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One day: its bars and the point of its money, above its name."""

    name: str
    middle: float
    bar_in: Bar
    bar_out: Bar
    money_y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line across, with what it stands for on both scales."""

    y: float
    tokens: str
    dollars: str


@dataclass(frozen=True, slots=True)
class Plot:
    """All that is drawn. ``points`` are those of the line of money, as SVG wants them."""

    columns: list[Column]
    lines: list[Line]
    points: str


def plot(days: Sequence[Day]) -> Plot:
    """Return the plot of the days, oldest first."""
    most_tokens = _round_up(max(max(day.tokens_in, day.tokens_out) for day in days))
    most_dollars = _round_up(max(day.dollars for day in days))
    step = (RIGHT - LEFT) / len(days)
    columns = [_column(day, LEFT + step * (place + 0.5), most_tokens, most_dollars) for place, day in enumerate(days)]
    parts = [n / STEPS for n in range(1, STEPS + 1)]
    lines = [Line(_y(part), in_short(most_tokens * part), f"${most_dollars * part:,.2f}") for part in parts]
    return Plot(columns, lines, " ".join(f"{column.middle},{column.money_y}" for column in columns))


def in_short(count: float) -> str:
    """Return a count of tokens in three figures: 950, 1.2 k, 3.4 M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {letter}"
    return f"{count:.3g}"


def _column(day: Day, middle: float, most_tokens: float, most_dollars: float) -> Column:
    left = middle - (_IN_WIDTH + _GAP + _OUT_WIDTH) / 2
    return Column(
        f"{day.day:%a} {day.day.day}",
        round(middle, 1),
        _bar(left, _IN_WIDTH, day.tokens_in / most_tokens),
        _bar(left + _IN_WIDTH + _GAP, _OUT_WIDTH, day.tokens_out / most_tokens),
        _y(day.dollars / most_dollars),
    )


def _bar(x: float, width: float, part: float) -> Bar:
    return Bar(round(x, 1), _y(part), width, round(BOTTOM - _y(part), 1))


def _y(part: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * part, 1)


def _round_up(most: float) -> float:
    """Return a round number that is no smaller, of which a quarter is round as well."""
    if most <= 0:
        return 1
    size = 10.0 ** floor(log10(most))
    return float(next(size * factor for factor in (1, 2, 4, 8, 10) if size * factor >= most))
