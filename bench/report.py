"""The table: what was measured, what the goal is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `beside` says what it was measured against or how; `goal` is the issue's, if it has one."""

    name: str
    value: str
    goal: str = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Figures of one kind."""

    title: str
    figures: list[Figure]


def table(sections: Iterable[Section]) -> str:
    """The figures as aligned text."""
    rows: list[tuple[str, ...]] = [("", "here", "goal", "beside")]
    for section in sections:
        rows += [("", "", "", ""), (section.title, "", "", "")]
        rows += [(f"  {one.name}", one.value, one.goal, one.beside) for one in section.figures]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows
    )
