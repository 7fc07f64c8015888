"""A plot of some days: tokens as bars, money as a line. Only geometry; a template draws it (``plot.html``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

STEPS = 4
# In all frames, of a viewBox that is 200 high.
TOP, BOTTOM = 16, 176
_GAP = 3
NAMED = 7
"""Days whose names there is room for; of more, the bars are narrower."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a plot is drawn in, in its own units, which are the viewBox's: `in_width` and `out_width` are of bars."""

    name: str
    width: int
    left: int
    right: int
    in_width: int
    out_width: int


WIDE = Frame("wide", 920, 52, 868, 24, 9)
# For a phone, where the other one would have to be scrolled: its units are about as large there as the page's.
NARROW = Frame("narrow", 340, 44, 292, 14, 6)


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
    """One day: its bars and the point of its money, above its name, where there is room for that (``is_named``)."""

    day: date
    middle: float
    bar_in: Bar
    bar_out: Bar
    money_y: float
    is_named: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line across, with what it stands for on both scales."""

    y: float
    tokens: str
    dollars: str


@dataclass(frozen=True, slots=True)
class Plot:
    """All that is drawn. ``points`` are those of the line of money, as SVG wants them."""

    frame: Frame
    columns: list[Column]
    lines: list[Line]
    points: str


def plot(days: Sequence[Day], frame: Frame) -> Plot:
    """Return the plot of the days, oldest first."""
    most_tokens = _round_up(max(max(day.tokens_in, day.tokens_out) for day in days))
    most_dollars = _round_up(max(day.dollars for day in days))
    step, scale = (frame.right - frame.left) / len(days), min(1, NAMED / len(days))
    columns = [
        _column(day, frame, frame.left + step * (place + 0.5), most_tokens, most_dollars, scale, is_named)
        for place, (day, is_named) in enumerate(zip(days, _named(len(days)), strict=True))
    ]
    parts = [n / STEPS for n in range(1, STEPS + 1)]
    lines = [Line(_y(part), in_short(most_tokens * part), f"${most_dollars * part:,.2f}") for part in parts]
    return Plot(frame, columns, lines, " ".join(f"{column.middle},{column.money_y}" for column in columns))


def in_short(count: float) -> str:
    """Return a count of tokens in three figures: 950, 1.2 k, 3.4 M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {letter}"
    return f"{count:.3g}"


def _named(count: int) -> list[bool]:
    """Tell which days have their names under them: the last one, and those before it as far as there is room."""
    every = ceil(count / NAMED)
    return [(count - 1 - place) % every == 0 for place in range(count)]


def _column(
    day: Day, frame: Frame, middle: float, most_tokens: float, most_dollars: float, scale: float, is_named: bool
) -> Column:
    in_width, gap, out_width = frame.in_width * scale, _GAP * scale, frame.out_width * scale
    left = middle - (in_width + gap + out_width) / 2
    return Column(
        day.day,
        round(middle, 1),
        _bar(left, in_width, day.tokens_in / most_tokens),
        _bar(left + in_width + gap, out_width, day.tokens_out / most_tokens),
        _y(day.dollars / most_dollars),
        is_named,
    )


def _bar(x: float, width: float, part: float) -> Bar:
    return Bar(round(x, 1), _y(part), round(width, 1), round(BOTTOM - _y(part), 1))


def _y(part: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * part, 1)


def _round_up(most: float) -> float:
    """Return a round number that is no smaller, of which a quarter is round as well."""
    if most <= 0:
        return 1
    size = 10.0 ** floor(log10(most))
    return float(next(size * factor for factor in (1, 2, 4, 8, 10) if size * factor >= most))
